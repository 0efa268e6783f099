/** The page's style sheet. A constant, so that the policy can name its hash. */
export const STYLE = `
:root { color-scheme: light dark; --page: #fbfbf9; --card: #fff; --ink: #1f2328; --soft: #5c6370;
  --line: #e4e4df; --accent: #b4532a; --bar: #d98a63; --bad: #a8281f; --good: #256b3a;
  --notice: #fdf3e1; --notice-line: #e3c388; --hover: #f5f4f0; --alarm: #fdeceb; --track: #ecebe6; }
@media (prefers-color-scheme: dark) { :root { --page: #16171a; --card: #1d1f23; --ink: #e6e6e3;
  --soft: #a0a5ae; --line: #32353b; --accent: #e8966d; --bar: #b8683f; --bad: #f08a80;
  --good: #7cc893; --notice: #2c2517; --notice-line: #6b562b; --hover: #25282d; --alarm: #35201f;
  --track: #33363c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.45;
  font: 0.875rem/1.45 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
  font-variant-numeric: tabular-nums; }
main, header, footer { max-width: 82rem; margin: 0 auto; padding: 0 1.25rem; }
header { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; align-items: baseline;
  padding-top: 1.25rem; }
h1 { font-size: 1.25rem; font-weight: 650; letter-spacing: -0.01em; margin: 0; }
h2 { font-size: 0.8125rem; font-weight: 650; margin: 0 0 0.5rem; }
h3 { font-size: 0.8125rem; font-weight: 600; margin: 0 0 0.15rem; overflow-wrap: anywhere; }
p { margin: 0 0 0.5rem; }
a { color: var(--accent); text-underline-offset: 0.2em; }
a:focus-visible, button:focus-visible, input:focus-visible, select:focus-visible,
summary:focus-visible, .scroll:focus-visible { outline: 2px solid var(--accent);
  outline-offset: 2px; }
.soft { color: var(--soft); }
.bad { color: var(--bad); }
.good { color: var(--good); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem; list-style: none; margin: 0; padding: 0; }
nav a { display: block; padding: 0.2rem 0.6rem; min-width: 2.5rem; text-align: center;
  border-radius: 1rem; text-decoration: none; color: var(--soft); }
nav a:hover { background: var(--hover); }
nav a[aria-current] { background: var(--ink); color: var(--page); }
form { display: flex; flex-wrap: wrap; gap: 0.5rem 0.75rem; align-items: end;
  margin: 0.75rem 0 1rem; }
label { display: grid; gap: 0.15rem; font-size: 0.75rem; color: var(--soft); flex: 1 1 9rem;
  max-width: 15rem; }
input, button { font: inherit; color: var(--ink); background: var(--card); padding: 0.3rem 0.5rem;
  border: 1px solid var(--line); border-radius: 0.375rem; min-width: 0; width: 100%; }
button { width: auto; cursor: pointer; padding: 0.3rem 0.9rem; }
button:hover { background: var(--hover); }
.clear { padding: 0.35rem 0; }
.notice { background: var(--notice); border: 1px solid var(--notice-line); border-radius: 0.5rem;
  padding: 0.6rem 0.9rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
.notice ul { margin: 0.25rem 0 0; padding-left: 1.1rem; }
.alarm { background: var(--alarm); border: 1px solid var(--bad); border-left-width: 0.375rem;
  border-radius: 0.5rem; padding: 0.6rem 0.9rem; margin: 0.75rem 0 0; overflow-wrap: anywhere; }
.alarm h2 { margin-bottom: 0.25rem; }
.alarm ul { list-style: none; margin: 0; padding: 0; }
.alarm li { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; align-items: center;
  justify-content: space-between; padding: 0.25rem 0; }
.alarm li + li { border-top: 1px solid var(--line); }
.alarm strong { margin-right: 0.35rem; }
.critical strong { color: var(--bad); }
.alarm .small { display: block; }
.act { display: inline-flex; margin: 0; }
.act button { padding: 0.1rem 0.6rem; min-height: 1.6rem; white-space: nowrap; }
.block { margin-bottom: 1rem; }
.block .scroll { margin-bottom: 0.25rem; padding-bottom: 0; }
.block ul { margin: 0 0 0.5rem; padding-left: 1.1rem; }
.block p:last-child, .budget p:last-child { margin-bottom: 0; }
.budget + .budget { border-top: 1px solid var(--line); margin-top: 0.8rem; padding-top: 0.7rem; }
.mark { display: inline-block; font-size: 0.75rem; font-weight: 400; padding: 0 0.5rem;
  border: 1px solid var(--line); border-radius: 1rem; color: var(--soft); }
.heard { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
.tiles { display: grid; grid-template-columns: repeat(6, 1fr); margin: 0 0 1rem; padding: 0;
  border: 1px solid var(--line); border-radius: 0.5rem; background: var(--card); }
.tiles > div { padding: 0.75rem 1rem; border-left: 1px solid var(--line); min-width: 0; }
.tiles > div:first-child { border-left: 0; }
dt { color: var(--soft); font-size: 0.75rem; }
dd { margin: 0; overflow-wrap: anywhere; }
.figure { font-size: 1.5rem; font-weight: 600; letter-spacing: -0.02em; line-height: 1.25; }
.small { font-size: 0.75rem; color: var(--soft); }
.grid { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1rem;
  margin-bottom: 1rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem;
  padding: 0.8rem 1rem; min-width: 0; }
.wide { grid-column: 1 / -1; }
.scroll { overflow-x: auto; margin: 0 -1rem -0.8rem; padding: 0 1rem 0.6rem; }
table { border-collapse: collapse; width: 100%; white-space: nowrap; }
caption { text-align: left; font-size: 0.8125rem; font-weight: 650; padding-bottom: 0.4rem; }
th, td { text-align: right; padding: 0.28rem 0 0.28rem 1rem; border-top: 1px solid var(--line);
  font-weight: 400; }
th:first-child, td:first-child { padding-left: 0; }
thead th { color: var(--soft); font-size: 0.75rem; border-top: 0; vertical-align: bottom; }
.name { text-align: left; max-width: 18rem; overflow: hidden; text-overflow: ellipsis;
  unicode-bidi: isolate; }
tbody tr:hover { background: var(--hover); }
.share { width: 5rem; }
.share svg { width: 4rem; height: 0.4rem; vertical-align: middle; }
svg { display: block; width: 100%; fill: var(--bar); }
.share svg { display: inline-block; }
.plot { height: 6.5rem; border-bottom: 1px solid var(--line); }
.failed { fill: var(--bad); }
.gauge { border-radius: 0.2rem; }
.track { fill: var(--track); }
.held { fill-opacity: 0.45; }
.week { height: auto; max-width: 40rem; }
.week text { font-size: 9px; fill: var(--soft); }
.axis { display: flex; justify-content: space-between; font-size: 0.75rem; color: var(--soft);
  padding-top: 0.2rem; }
figure { margin: 0; }
figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem;
  margin-bottom: 0.4rem; }
summary { cursor: pointer; color: var(--soft); font-size: 0.75rem; padding: 0.25rem 0;
  min-height: 1.5rem; }
code, pre { font: 0.8125rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { background: var(--hover); padding: 0.6rem 0.8rem; border-radius: 0.375rem; overflow-x: auto;
  margin: 0.25rem 0 0.75rem; }
.steps { list-style: none; padding: 0; margin: 0; }
.steps > li { margin-bottom: 0.5rem; }
.trust { display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; margin: 0; }
footer { padding-bottom: 2rem; color: var(--soft); font-size: 0.75rem; }
@media (max-width: 64rem) { .tiles { grid-template-columns: repeat(3, 1fr); }
  .tiles > div:nth-child(4) { border-left: 0; }
  .tiles > div:nth-child(n + 4) { border-top: 1px solid var(--line); } }
@media (max-width: 48rem) { .grid { grid-template-columns: minmax(0, 1fr); }
  main, header, footer { padding-left: 0.75rem; padding-right: 0.75rem; } }
@media (max-width: 34rem) { .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .tiles > div { border-left: 0; border-top: 1px solid var(--line); }
  .tiles > div:nth-child(even) { border-left: 1px solid var(--line); }
  .tiles > div:nth-child(-n + 2) { border-top: 0; }
  .figure { font-size: 1.25rem; } .name { max-width: 11rem; } }
@media (forced-colors: active) { svg { fill: CanvasText; } .failed { fill: Highlight; }
  .track { fill: Canvas; } .gauge { border: 1px solid CanvasText; } }
@media print { form, nav { display: none; } .scroll { overflow: visible; } }
`;
