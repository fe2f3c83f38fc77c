# Copyright (c) onestage_pose contributors.
"""How the page looks: on a phone, on paper, in light and in dark."""

STYLE = """
:root { color-scheme: light dark; --text: #1c1e21; --soft: #63676e; --back: #fff;
  --card: #f4f5f7; --line: #d9dce1; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e7ea; --soft: #a2a6ad; --back: #15171a; --card: #202328;
    --line: #3a3e45; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 16px; max-width: 960px; color: var(--text);
  background: var(--back); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 32px 0 8px; }
p { margin: 0 0 12px; }
.soft { color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(104px, 1fr));
  gap: 8px; margin: 16px 0; }
.tile { background: var(--card); border-radius: 8px; padding: 8px 12px; }
.tile b { display: block; font-size: 1.4rem; }
.tile span { color: var(--soft); font-size: .8rem; }
figure { margin: 0 0 12px; }
figure svg { width: 100%; max-width: 560px; height: auto; display: block; }
.figures { display: grid; gap: 16px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; width: 100%; }
th, td { padding: 4px 8px; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; font-variant-numeric: tabular-nums; }
th { color: var(--soft); font-weight: 600; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0;
  background: var(--back); }
.total tr:last-child td { font-weight: 600; }
.cases { display: grid; gap: 12px; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 290px), 1fr)); }
.case { background: var(--card); border-radius: 8px; padding: 8px; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 6px; }
.pair img { width: 100%; height: auto; display: block; border-radius: 4px; }
.pair div { font-size: .75rem; color: var(--soft); }
.case p { margin: 6px 0 0; font-size: .8rem; overflow-wrap: anywhere; }
"""
