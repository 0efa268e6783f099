/** The sources of this repository as data: what each module imports, exports and must not contain. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { parseSync } from '@swc/core';

export interface Import {
  readonly from: string;
  readonly names: readonly string[];
  readonly typeOnly: boolean;
}

export interface Source {
  readonly lines: number;
  readonly imports: readonly Import[];
  /** Names, types included; `*` for what `export *` would add. */
  readonly exports: readonly string[];
  /** Constructs that have no place in a published source. */
  readonly forbidden: readonly string[];
}

/** By module name, without extension: `stores/memory`. */
export type Sources = ReadonlyMap<string, Source>;

/** A node of swc's syntax tree; only the fields that are looked at are ever read. */
type Node = Readonly<Record<string, unknown>> & { readonly type: string };

export const repository = join(__dirname, '..', '..', '..');

export function sourcesOf(packageFolder: string): Sources {
  const folder = join(repository, 'packages', packageFolder, 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [file, readFileSync(join(folder, file), 'utf8')] as const);
  return parseAll(
    Object.fromEntries(files.map(([file, text]) => [file.slice(0, -3).split(sep).join('/'), text])),
  );
}

export function parseAll(texts: Readonly<Record<string, string>>): Sources {
  return new Map(Object.entries(texts).map(([module, text]) => [module, parse(text)]));
}

function parse(text: string): Source {
  const program = parseSync(text, { syntax: 'typescript', decorators: true, target: 'es2022' });
  const imports: Import[] = [];
  const forbidden: string[] = [];
  walk(program, 0, (node, depth) => {
    const found = importOf(node);
    if (found) imports.push(found);
    const banned = forbiddenIn(node, depth);
    if (banned) forbidden.push(banned);
  });
  const exports = nodes(program.body).flatMap(exportsOf);
  return { lines: text.split('\n').length - 1, imports, exports, forbidden };
}

/** Visits every syntax node; `depth` counts the functions around it. */
function walk(value: unknown, depth: number, visit: (node: Node, depth: number) => void): void {
  if (typeof value !== 'object' || value === null) return;
  const isFunction = isNode(value) && /Function|Method|Constructor/.test(value.type);
  if (isNode(value)) visit(value, depth);
  for (const child of Object.values(value)) walk(child, depth + (isFunction ? 1 : 0), visit);
}

function importOf(node: Node): Import | null {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration': {
      const from = literal(node.source);
      if (from === null) return null;
      const parts = nodes(node.specifiers);
      const allTypes = parts.length > 0 && parts.every((part) => part.isTypeOnly === true);
      const names = parts.length > 0 ? parts.map(importedName) : ['*'];
      return { from, names, typeOnly: node.typeOnly === true || allTypes };
    }
    case 'TsImportType':
      return whole(node.argument, true);
    case 'TsExternalModuleReference':
      return whole(node.expression, false);
    case 'CallExpression': {
      const loads = isNode(node.callee) && node.callee.type === 'Import';
      if (!loads && !isIdentifier(node.callee, 'require')) return null;
      const [first] = node.arguments as readonly { readonly expression: unknown }[];
      return whole(first?.expression, false);
    }
    default:
      return null;
  }
}

function whole(from: unknown, typeOnly: boolean): Import | null {
  const specifier = literal(from);
  return specifier === null ? null : { from: specifier, names: ['*'], typeOnly };
}

function importedName(part: Node): string {
  if (part.type === 'ImportDefaultSpecifier') return 'default';
  if (!/^(Import|Export)Specifier$/.test(part.type)) return '*';
  return identifier(part.imported ?? part.orig ?? part.local);
}

function exportsOf(item: Node): string[] {
  if (item.type === 'ExportAllDeclaration') return ['*'];
  if (item.type === 'ExportNamedDeclaration') {
    return nodes(item.specifiers).map((part) =>
      identifier(part.exported ?? part.orig ?? part.name),
    );
  }
  if (item.type !== 'ExportDeclaration' || !isNode(item.declaration)) return [];
  const { declaration } = item;
  const declared = declaration.declarations ? nodes(declaration.declarations) : [declaration];
  return declared.map((each) => identifier(each.id ?? each.identifier));
}

function forbiddenIn(node: Node, depth: number): string | null {
  if (node.type === 'MetaProperty' && node.kind === 'import.meta') return 'import.meta';
  if (node.type === 'AwaitExpression' && depth === 0) return 'top-level await';
  if (node.type.startsWith('ExportDefault')) return 'default export';
  if (isIdentifier(node.callee, 'eval')) return 'eval()';
  if (isIdentifier(node.callee, 'Function')) return 'Function()';
  return null;
}

function nodes(value: unknown): readonly Node[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value;
}

function isIdentifier(value: unknown, name: string): boolean {
  return isNode(value) && value.type === 'Identifier' && value.value === name;
}

function identifier(value: unknown): string {
  return isNode(value) ? String(value.value) : '*';
}

function literal(value: unknown): string | null {
  return isNode(value) && value.type === 'StringLiteral' ? String(value.value) : null;
}
