import { COST_CLASSES } from '../../record.js';
import { MONEY_COLUMNS, SKETCHES, SUM_COLUMNS } from './columns.js';

/**
 * The tables as people ask them: names for keys, dollars beside nano-dollars, and rows for what a cell
 * has in `data`. Of the history, unless the name says minutes.
 */
const FIGURES = [
  ...Object.keys(SUM_COLUMNS).map((name) => `c.${name}`),
  ...Object.keys(MONEY_COLUMNS).map((name) => `c.${name}`),
  'c.nano_usd / 1000000000 AS usd',
  'c.estimated_nano_usd / 1000000000 AS estimated_usd',
].join(', ');

type CellView = readonly [name: string, table: string, family: string, keys: readonly string[]];

const CELL_VIEWS: readonly CellView[] = [
  ['totals', 'cells_quarter', 'total', []],
  ['feature_models', 'cells_quarter', 'feature-model', ['feature', 'model']],
  ['user_models', 'cells_quarter', 'user-model', ['user_id', 'model']],
  ['user_features', 'cells_quarter', 'user-feature', ['user_id', 'feature']],
  ['minute_totals', 'cells_minute', 'total', []],
  ['minute_feature_models', 'cells_minute', 'feature-model', ['feature', 'model']],
];

function cellView(s: string, [name, table, family, keys]: CellView): string {
  const names = keys.map((key, i) => `c.key${i + 1} AS ${key}, `).join('');
  return `CREATE VIEW ${s}.${name} AS SELECT c.at, ${names}${FIGURES}
    FROM ${s}.${table} c WHERE c.family = '${family}';`;
}

const texts = (names: readonly string[]) => `ARRAY['${names.join("', '")}']`;

/** Lines are in runs, and their amounts by threes behind one another: see cell-data.ts. */
const COST_LINES = (s: string) => `CREATE VIEW ${s}.cost_lines AS
  SELECT l.at, l.feature, l.asked_model, l.model, l.class, l.speed, l.geo, l.tier,
    (l.amounts ->> (3 * l.place))::numeric AS quantity,
    l.nano_usd, l.nano_usd / 1000000000 AS usd
  FROM (
    SELECT p.*, (p.amounts ->> (3 * p.place + 1))::numeric
      + 1000000000000000 * (p.amounts ->> (3 * p.place + 2))::numeric AS nano_usd
    FROM (
      SELECT c.at, c.key1 AS feature, c.key2 AS asked_model,
        CASE WHEN json_typeof(r.run -> 0) = 'number' THEN c.key2 ELSE r.run ->> 0 END AS model,
        CASE WHEN json_typeof(k.class) = 'number'
          THEN (${texts(COST_CLASSES)})[1 + (k.class #>> '{}')::integer] ELSE k.class #>> '{}' END AS class,
        r.run ->> 1 AS speed, r.run ->> 2 AS geo, r.run ->> 3 AS tier, c.data -> 3 AS amounts,
        (row_number() OVER (PARTITION BY c.at, c.key1, c.key2 ORDER BY r.i, k.i) - 1)::integer
          AS place
      FROM ${s}.cells_quarter c,
        json_array_elements(c.data -> 2) WITH ORDINALITY AS r(run, i),
        json_array_elements(r.run) WITH ORDINALITY AS k(class, i)
      WHERE c.family = 'feature-model' AND k.i > 4
    ) AS p
  ) AS l;`;

/** Outcomes, errors by kind, unpriced calls and feedback; a name before the colon says of which. */
const EVENTS = (s: string) => `CREATE VIEW ${s}.events AS
  SELECT c.at, c.key1 AS feature, c.key2 AS model, split_part(e.key, ':', 1) AS kind,
    split_part(e.key, ':', 2) AS name, e.value::bigint AS calls
  FROM ${s}.cells_quarter c,
    json_each_text(CASE WHEN json_typeof(c.data -> 1) = 'object' THEN c.data -> 1 ELSE '{}' END) AS e
  WHERE c.family = 'feature-model';`;

/** Keys of a sketch are the first bits of a double: see sketch.ts. Each value is within 0.8 %. */
const DISTRIBUTIONS = (s: string) => `CREATE VIEW ${s}.distributions AS
  SELECT d.at, d.feature, d.model, d.measure, v.value, v.calls
  FROM (
    SELECT c.at, c.key1 AS feature, c.key2 AS model,
      (${texts(SKETCHES)})[k.i] AS measure, k.sketch
    FROM ${s}.cells_quarter c, json_array_elements(c.data -> 4) WITH ORDINALITY AS k(sketch, i)
    WHERE c.family = 'feature-model'
  ) AS d, LATERAL (
    SELECT least(greatest(2 * b.low * b.high / (b.low + b.high), (d.sketch ->> 3)::float8),
      (d.sketch ->> 4)::float8) AS value, b.calls
    FROM (
      SELECT p.calls,
        power(2::float8, p.key / 64 - 1023) * (1 + (p.key % 64) / 64.0::float8) AS low,
        power(2::float8, (p.key + 1) / 64 - 1023) * (1 + ((p.key + 1) % 64) / 64.0::float8) AS high
      FROM (
        SELECT (sum(n.value::text::bigint) FILTER (WHERE n.i % 2 = 0) OVER (ORDER BY n.i))::integer
          AS key, (lead(n.value) OVER (ORDER BY n.i))::text::bigint AS calls, n.i
        FROM json_array_elements_text(d.sketch) WITH ORDINALITY AS n(value, i) WHERE n.i > 5
      ) AS p WHERE p.i % 2 = 0
    ) AS b
    UNION ALL
    SELECT 0, (d.sketch ->> 1)::bigint WHERE (d.sketch ->> 1)::bigint > 0
  ) AS v(value, calls);`;

const BUDGETS = (s: string) => `CREATE VIEW ${s}.budget_use AS
  SELECT budget, scope, starts_at, ends_at, spent_nano_usd / 1000000000.0 AS spent_usd,
    held_nano_usd / 1000000000.0 AS held_usd, uncertain_nano_usd / 1000000000.0 AS uncertain_usd,
    overrun_nano_usd / 1000000000.0 AS overrun_usd, unpriced_calls, refused_calls
  FROM ${s}.accounts;`;

export function viewsOf(s: string): string {
  const views = [COST_LINES, EVENTS, DISTRIBUTIONS, BUDGETS].map((view) => view(s));
  return [...CELL_VIEWS.map((view) => cellView(s, view)), ...views].join('\n  ');
}
