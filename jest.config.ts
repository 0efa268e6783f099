/** @jest-config-loader esbuild-register */
import type { Config } from 'jest';

type Project = Exclude<NonNullable<Config['projects']>[number], string>;

const swc = (parser: object, transform: object = {}): [string, object] => [
  '@swc/jest',
  {
    jsc: { target: 'es2022', parser, transform, keepClassNames: true },
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
  },
];
const sources = {
  '^@claude-metrics/([a-z-]+)$': '<rootDir>/packages/$1/src/index.ts',
  '^(\\.{1,2}/.*)\\.js$': '$1',
};

const packages: Project = {
  displayName: 'packages',
  testEnvironment: 'node',
  // What our packages share by process outlives a test file, as it is meant to.
  testEnvironmentOptions: { globalsCleanup: 'off' },
  testMatch: ['<rootDir>/packages/*/test/**/*.test.ts', '<rootDir>/examples/*/test/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/(packages|examples)/nestjs/'],
  moduleNameMapper: sources,
  // ESM only; compiled, it can be required on every Node.
  transformIgnorePatterns: ['/node_modules/(?!temporal-)'],
  transform: { '^.+\\.ts$|/examples/.+\\.mjs$|/temporal-.+\\.js$': swc({ syntax: 'typescript' }) },
  coverageProvider: 'v8',
};

/** The tests of the Nest package, on one major of Nest: that in `folder`, or the installed one. */
function nest(major: number, folder?: string): Project {
  const framework = '^@nestjs/(common|core|platform-express|platform-fastify|terminus|testing)';
  return {
    ...packages,
    displayName: `nest-${major}`,
    testMatch: ['<rootDir>/{packages,examples}/nestjs/test/**/*.test.ts'],
    // @nestjs/schedule and the like are installed for the newest major only, and so is the example.
    testPathIgnorePatterns: ['/node_modules/', ...(folder ? ['/test/nest-12/', '/examples/'] : [])],
    globals: { NEST_MAJOR: major },
    moduleNameMapper: {
      ...(folder && {
        [`${framework}$`]: `<rootDir>/${folder}/node_modules/@nestjs/$1`,
        [`${framework}/(.*)$`]: `<rootDir>/${folder}/node_modules/@nestjs/$1/$2`,
      }),
      '^@claude-metrics/([a-z-]+)/([a-z-]+)$': '<rootDir>/packages/$1/src/$2.ts',
      ...sources,
    },
    // Nest 12 is ESM only, too.
    transformIgnorePatterns: ['/node_modules/(?!@nestjs/|temporal-)'],
    transform: {
      '/node_modules/(@nestjs/|temporal-).+\\.js$': swc({ syntax: 'ecmascript' }),
      '/examples/.+\\.mjs$': swc({ syntax: 'ecmascript' }),
      '^.+\\.ts$': swc(
        { syntax: 'typescript', decorators: true },
        { legacyDecorator: true, decoratorMetadata: true },
      ),
    },
  };
}

const config: Config = {
  projects: [
    packages,
    nest(10, 'scripts/majors/nest-10'),
    nest(11, 'scripts/majors/nest-11'),
    nest(12),
  ],
  testTimeout: 30_000,
  // Jest leaves a core free, which on two cores is half of them. A process that has grown is replaced:
  // with the modules of a hundred files in it, collecting garbage takes longer than the tests.
  maxWorkers: '100%',
  workerIdleMemoryLimit: '1GB',
  coverageProvider: 'v8',
  collectCoverageFrom: ['packages/*/src/**/*.ts'],
};
export default config;
