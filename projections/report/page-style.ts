export const REPORT_STYLE = `
:root{color-scheme:light dark;--ink:#1d2125;--soft:#5d6873;--line:#dde2e6;--paper:#fff;--live:#1f66c1;--back:#a45200;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8eb;--soft:#98a4af;--line:#2c343b;--paper:#15181b;--live:#7db2ff;--back:#f2a750;--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2.5rem 1.25rem 5rem;max-width:58rem;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 1.25rem;font-weight:650}
h2{font-size:1.15rem;margin:3rem 0 .9rem;padding-bottom:.4rem;border-bottom:1px solid var(--line);font-weight:650}
h3{font-size:.95rem;margin:1.6rem 0 .4rem;font-weight:650}
h3 .soft,summary .soft{font-weight:400;margin-left:.75em}
a{color:var(--live)}
.soft{color:var(--soft)}.back{color:var(--back)}.bad{color:var(--bad);font-weight:600}.mended{color:var(--soft)}
dl{display:grid;grid-template-columns:1fr 1fr;gap:.3rem 2rem;margin:0 0 1rem}dl div:nth-last-child(-n+2){grid-column:1/-1}
dl div{display:flex;gap:.75rem}dt{flex:0 0 6rem;color:var(--soft)}dd{margin:0;min-width:0}
code{font:12px/1.5 ui-monospace,monospace}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin-top:1.25rem}
ol{list-style:none;margin:0;padding:0}
li{display:grid;grid-template-columns:max-content 1fr max-content;gap:0 1rem;padding:.22rem .5rem;border-left:3px solid transparent}
li>span:nth-child(2)>*{margin-right:.6em}
.day{content-visibility:auto;contain-intrinsic-size:auto 600px}
.commands .why{display:block;color:var(--soft)}
.failed,.abandoned,.rejected,.accepted,.open{border-left-color:var(--back)}
.failed,.abandoned,.open{border-left-color:var(--bad)}
.word{color:var(--back)}.failed .word,.abandoned .word{color:var(--bad)}
.troubles li{padding-block:.5rem}.troubles li>span:nth-child(2)>*{display:block}.what{font-weight:600}
.at{font-size:.85em;padding-top:.12em}
figure{margin:1rem 0 1.1rem}
figure.bare{margin:.35rem 0}
figcaption{display:flex;flex-wrap:wrap;gap:0 1rem;margin-bottom:.5rem}
.name{font-weight:650}
.vm{content-visibility:auto;contain-intrinsic-size:auto 400px;border-top:1px solid var(--line);padding-top:.6rem;margin-top:.6rem}
.vm:first-of-type{border-top:0}
summary{cursor:pointer;font-weight:650}
.plot{position:relative;border:1px solid var(--line);border-width:1px 0}
.plot .full{position:absolute;top:.1rem;right:0;font-size:.8em}
.usage{display:block;width:100%;height:110px}
.usage path{fill:none;vector-effect:non-scaling-stroke}
.usage .half{stroke:var(--line)}.usage .area{fill:var(--live);opacity:.13}
.usage .data{stroke:var(--live);stroke-width:2}.usage .metadata{stroke:var(--back);stroke-width:1.5;stroke-dasharray:5 4}
.ends{display:flex;justify-content:space-between;font-size:.85em;margin-top:.2rem}
@media(max-width:620px){body{padding:1.5rem .9rem 3rem}li{grid-template-columns:max-content 1fr}.at{grid-column:2}.troubles li,.turns li{grid-template-columns:1fr}.troubles .at,.turns .at{grid-column:1}dl{grid-template-columns:1fr}}
@media print{.day,.vm{content-visibility:visible}nav{display:none}}
`;
