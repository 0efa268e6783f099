// A folder for an application of its own, which must find only the packages that are put into it.
const { existsSync, mkdtempSync, realpathSync } = require('node:fs');
const { homedir, tmpdir } = require('node:os');
const { dirname, join } = require('node:path');

/** Whether Node or npm, started below `folder`, would go on to somebody else's packages. */
function hasPackages(folder) {
  const here = ['node_modules', 'package.json'].some((name) => existsSync(join(folder, name)));
  return here || (dirname(folder) !== folder && hasPackages(dirname(folder)));
}

/** Creates the folder, outside of any application; the caller removes it. */
exports.emptyFolder = function emptyFolder() {
  const parents = [tmpdir(), '/var/tmp', homedir()].filter((path) => existsSync(path));
  const parent = parents.map((path) => realpathSync(path)).find((path) => !hasPackages(path));
  if (parent === undefined) {
    throw new Error(
      `[claude-metrics] tests: node_modules or package.json in or above ${parents.join(', ')} ` +
        'would be found by every test application. Remove it, or set TMPDIR to another folder.',
    );
  }
  return mkdtempSync(join(parent, 'claude-metrics-'));
};
