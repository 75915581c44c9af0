/** A report as one HTML file without scripts or anything loaded: to be mailed and read by anybody. */

import { SEVERITIES } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Report } from '../report.ts';
import { type Judged, placeName, worstFirst } from '../verdict.ts';
import { controlsText, dialogue, productName } from './words.ts';

/** Everything from outside is escaped; the policy forbids scripts and loading in any case. */
export function htmlText(report: Report, judged: Judged): string {
  const title = `Mail audit of ${report.target}`;
  const found = [...judged.failing, ...judged.milder].sort(worstFirst);
  const passed = report.findings.filter(({ confidence }) => confidence === 'not-observed');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>
<h1>${escapeHtml(title)}</h1>
${summary(report, judged)}
${services(report)}
<h2>What was found</h2>
${found.length === 0 ? '<p>Nothing.</p>' : found.map((finding) => article(finding)).join('\n')}
${waived(judged)}
<h2>What could not be told</h2>
${list(judged.unclear, 'Everything that was asked was answered.')}
<h2>What was tested and not found</h2>
<details><summary>${passed.length} tests</summary>${list(passed, 'None.')}</details>
${closing(report)}
</body></html>
`;
}

const VERDICTS = {
  pass: ['good', 'Passed: nothing of the severity that counts was found.'],
  findings: ['bad', 'Not passed: weaknesses were found that should be cured.'],
  inconclusive: ['unsure', 'Undecided: something that counts could not be tested.'],
} as const;

function summary(report: Report, judged: Judged): string {
  const [kind, sentence] = VERDICTS[judged.verdict];
  const found = [...judged.failing, ...judged.milder];
  const cells = SEVERITIES.toReversed()
    .map((severity) => {
      const count = found.filter((finding) => finding.severity === severity).length;
      return `<td class="${severity}"><b>${count}</b><br>${severity}</td>`;
    })
    .join('');
  const { started, level } = report;
  return `<p class="verdict ${kind}">${sentence}</p>
<table class="counts"><tr>${cells}<td><b>${judged.unclear.length}</b><br>not told</td></tr></table>
<p>Level ${escapeHtml(level)}, ${escapeHtml(started)}, Postern ${escapeHtml(report.version)}.
${escapeHtml(report.vantage.note)}.</p>`;
}

function services(report: Report): string {
  const rows = report.services.map(
    ({ host, address, port, protocol, tls, product, productVersion }) =>
      row(
        [
          `${host} (${address})`,
          String(port),
          protocol.toUpperCase(),
          tls === 'none' ? 'no TLS' : tls === 'implicit' ? 'TLS' : 'STARTTLS',
          `${productName(product)} ${productVersion ?? ''}`,
        ].map(escapeHtml),
      ),
  );
  const others = report.others.map(({ host, port, why }) =>
    row([escapeHtml(host), String(port), 'unknown', '', escapeHtml(why)]),
  );
  const head = '<tr><th>Host<th>Port<th>Protocol<th>Protection<th>Program</tr>';
  return `<h2>Services</h2><table>${head}${rows.join('')}${others.join('')}</table>`;
}

function row(cells: readonly string[]): string {
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

function article(finding: Finding): string {
  const { id, title, severity, confidence, seen, means, doesNotMean, rfc, cures } = finding;
  const lines = dialogue(finding);
  const controls = controlsText(finding.controls);
  const cureRows = cures.map(({ product, lines: rows }) =>
    row([escapeHtml(productName(product)), `<pre>${escapeHtml(rows.join('\n'))}</pre>`]),
  );
  return `<article class="${severity}"><h3><span class="tag">${severity}</span> ${escapeHtml(title)}</h3>
<p class="where">${escapeHtml(placeName(finding.target))}, ${confidence}</p>
<p>${escapeHtml(seen)}</p>
<p><b>What it means.</b> ${escapeHtml(means)}</p>
<p><b>What it does not mean.</b> ${escapeHtml(doesNotMean)}</p>
<details><summary>How to cure it</summary><table>${cureRows.join('')}</table></details>
<details><summary>Evidence</summary>${controls === '' ? '' : `<p>Controls: ${controls}.</p>`}
<pre>${escapeHtml(lines.join('\n'))}</pre></details>
<p class="small">${escapeHtml([id, ...rfc].join(' · '))}</p></article>`;
}

function waived(judged: Judged): string {
  if (judged.waived.length === 0) return '';
  const rows = judged.waived.map(({ finding, waiver }) =>
    row([placeName(finding.target), finding.title, waiver.until, waiver.reason].map(escapeHtml)),
  );
  const head = '<tr><th>Where<th>What<th>Until<th>Why</tr>';
  return `<h2>Known and accepted for now</h2><table>${head}${rows.join('')}</table>`;
}

function list(findings: readonly Finding[], empty: string): string {
  if (findings.length === 0) return `<p>${empty}</p>`;
  const rows = findings.map(({ target, title, seen }) =>
    row([placeName(target), title, seen].map(escapeHtml)),
  );
  return `<table>${rows.join('')}</table>`;
}

function closing({ grounds, spent, request }: Report): string {
  const words = grounds.map(({ host, ground }) => {
    if (ground.kind === 'authorised') return `${host}: authorised by ${ground.by}`;
    if (ground.kind === 'published') return `${host}: permitted by ${ground.name}`;
    return `${host}: our own network`;
  });
  return `<h2>How it was done</h2><p>${words.map(escapeHtml).join('<br>')}</p>
<p>${spent.connections} connections, ${spent.messages} messages, ${spent.sentBytes} octets sent,
${spent.receivedBytes} received. Domains: ${escapeHtml(request.domains.join(', ') || 'none')}.</p>`;
}

/** Text for HTML content and attributes; controls and what turns the reading order become `?`. */
export function escapeHtml(text: string): string {
  return text
    .replace(
      /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
      '?',
    )
    .replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1d2433;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem;border-bottom:1px solid #d5dae3}h3{font-size:1rem;margin:.2rem 0}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;vertical-align:top;border-bottom:1px solid #e6e9ef;overflow-wrap:anywhere}
.counts td{text-align:center;border:1px solid #e6e9ef}.counts b{font-size:1.4rem}
.verdict{font-size:1.1rem;font-weight:600;padding:.8rem 1rem;border-left:.4rem solid}
.good{border-color:#1c7c3c;background:#eaf6ee}.bad{border-color:#b3261e;background:#fbeceb}.unsure{border-color:#9a6700;background:#fdf5e0}
article{border:1px solid #e6e9ef;border-left:.4rem solid #8a94a6;padding:.6rem 1rem;margin:1rem 0}
article.critical,article.high{border-left-color:#b3261e}article.medium{border-left-color:#c77700}article.low{border-left-color:#3566b8}
.tag{font-size:.75rem;text-transform:uppercase;border:1px solid;border-radius:.2rem;padding:0 .3rem}
.where,.small{color:#5b6579;font-size:.85rem;margin:.2rem 0}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f5f6f9;padding:.6rem;font-size:.8rem;margin:0}
@media(prefers-color-scheme:dark){body{background:#14171f;color:#dfe3ec}pre{background:#1d212c}td,th,article,.counts td{border-color:#333a49}.good{background:#12301c}.bad{background:#3a1614}.unsure{background:#362a0b}}
`;
