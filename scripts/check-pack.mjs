// What npm would publish: sound for every kind of consumer, small, without surprises, and the same
// bytes from every build of the same sources. Builds from nothing, twice.
import { mkdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { check, cleanBuild, pack, packages, readJson, tool } from './packages.mjs';

const WANTED = new Set(['LICENSE', 'README.md', 'package.json']);
/** Core is one file for each entry, a list of its exports, its calendar and its types. */
const PUBLISHED =
  /^dist\/((esm|cjs)\/|(index|temporal|cli|(exporters|stores)\/[a-z]+)(\.import)?\.[mc]js$|licenses\.txt$)/;
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'];

/** Unpacked bytes, both module systems together, and the runtime dependencies that are promised. */
const LIMITS = {
  '@claude-metrics/core': { bytes: 1_500_000, dependencies: [] },
  '@claude-metrics/express': { bytes: 100_000, dependencies: ['@claude-metrics/core'] },
  '@claude-metrics/koa': { bytes: 60_000, dependencies: ['@claude-metrics/core'] },
  '@claude-metrics/nestjs': { bytes: 200_000, dependencies: ['@claude-metrics/core'] },
  '@claude-metrics/testing': { bytes: 800_000, dependencies: [] },
};

function* faultsOf({ dir, name, manifest }, packed) {
  const paths = new Set(packed.files.map((file) => file.path));
  const limit = LIMITS[name];
  if (!limit) {
    yield 'has no line in LIMITS of scripts/check-pack.mjs; add its size and dependencies';
    return;
  }
  for (const path of WANTED) {
    if (!paths.has(path)) yield `${path} is missing from the package`;
  }
  for (const path of paths) {
    if (!WANTED.has(path) && !PUBLISHED.test(path)) yield `${path} should not be published`;
    if (/(^|[/.])test[/.]|\.tsbuildinfo$/.test(path)) yield `${path} should not be published`;
    const map = path.endsWith('.js') && mapNamedBy(join(dir, path));
    if (map && !paths.has(posix.join(posix.dirname(path), map))) {
      yield `${path} names the source map ${map}, which is not in the package`;
    }
  }
  const maps = [...paths].filter((path) => path.endsWith('.map'));
  const empty = maps.filter((path) => lacksSources(join(dir, path)));
  if (empty.length > 0) {
    yield `${empty.length} source maps, such as ${empty[0]}, point to sources that are not published`;
  }
  for (const script of INSTALL_SCRIPTS) {
    if (manifest.scripts?.[script]) yield `package.json has a "${script}" script`;
  }
  const dependencies = Object.keys(manifest.dependencies ?? {}).sort();
  if (dependencies.join() !== limit.dependencies.join()) {
    const promised = limit.dependencies.join(', ') || 'none';
    yield `runtime dependencies are ${dependencies.join(', ') || 'none'}, promised: ${promised}`;
  }
  for (const peer of Object.keys(manifest.peerDependencies ?? {})) {
    if (name.endsWith('/core') && !manifest.peerDependenciesMeta?.[peer]?.optional) {
      yield `the peer ${peer} is not optional`;
    }
  }
  if (packed.unpackedSize > limit.bytes) {
    yield `unpacks to ${packed.unpackedSize} bytes, the limit is ${limit.bytes}`;
  }
}

/** A map is only worth its bytes when it carries the sources it points to. */
function lacksSources(path) {
  const { sources, sourcesContent } = readJson(path);
  return sources.length !== (sourcesContent ?? []).filter(Boolean).length;
}

function mapNamedBy(path) {
  return /^\/\/# sourceMappingURL=(?!data:)(.+)$/m.exec(readFileSync(path, 'utf8'))?.[1];
}

/** What publint and attw have to say about one package, or nothing. */
function* lint({ dir }, { tarball }) {
  const checks = [
    ['publint', ['run', tarball, '--strict']],
    ['attw', [tarball, '--no-definitely-typed', '--format', 'ascii', '--no-color', '--no-emoji']],
  ];
  for (const [name, args] of checks) {
    try {
      tool(name, args, { cwd: dir });
    } catch (error) {
      yield error.message;
    }
  }
}

await check((folder) => {
  const builds = ['first', 'second'].map((name) => {
    const into = join(folder, name);
    mkdirSync(into);
    cleanBuild();
    return packages.map((each) => pack(each, into));
  });
  for (const [at, each] of packages.entries()) {
    const [first, second] = builds.map((build) => build[at]);
    const faults = [...faultsOf(each, first), ...lint(each, first)];
    if (first.integrity !== second.integrity) {
      faults.push(`two builds pack differently: ${first.integrity}, ${second.integrity}`);
    }
    const size = `${kilobytes(first.size)} packed, ${kilobytes(first.unpackedSize)} unpacked`;
    console.log(`${each.name} ${first.version}: ${first.files.length} files, ${size}`);
    for (const fault of faults) console.error(`  ✗ ${fault.replaceAll('\n', '\n    ')}`);
    if (faults.length > 0) process.exitCode = 1;
  }
});

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
