// Small plots, drawn anew with each sample.
import { svg, h, millis, setText } from './dom.js';

function path(values, width, height, top) {
  const step = width / Math.max(values.length - 1, 1);
  let pen = 'M';
  let line = '';
  values.forEach((value, i) => {
    if (value === null) { pen = 'M'; return; }
    line += `${pen}${(i * step).toFixed(1)} ${(height - (value / top) * height).toFixed(1)}`;
    pen = 'L';
  });
  return line;
}

// A line without a word.
export function sparkline() {
  const line = svg('path');
  const element = svg('svg', { class: 'spark', viewBox: '0 0 100 20', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, line);
  return {
    element,
    draw(values) {
      const top = Math.max(...values.filter((v) => v !== null), 0) * 1.1 || 1;
      line.setAttribute('d', values.length > 1 ? path(values, 100, 19, top) : '');
    },
  };
}

// Round trips, with what they are.
export function latencyPlot() {
  const area = svg('path', { class: 'area' });
  const line = svg('path', { class: 'line' });
  const picture = svg('svg', { viewBox: '0 0 300 80', preserveAspectRatio: 'none', role: 'img' },
    svg('line', { class: 'grid', x1: 0, x2: 300, y1: 80, y2: 80 }),
    svg('line', { class: 'grid', x1: 0, x2: 300, y1: 40, y2: 40 }),
    svg('line', { class: 'grid', x1: 0, x2: 300, y1: 0.5, y2: 0.5 }), area, line);
  const what = h('span', {}, 'round trip');
  const range = h('span');
  return {
    element: h('figure', { class: 'plot' }, picture, h('figcaption', {}, what, range)),
    draw(values) {
      const known = values.filter((v) => v !== null).sort((a, b) => a - b);
      if (known.length === 0) {
        line.setAttribute('d', '');
        area.setAttribute('d', '');
        setText(range, 'not measured yet');
        return;
      }
      const top = known[known.length - 1] * 1.15;
      const d = path(values, 300, 78, top);
      line.setAttribute('d', d);
      area.setAttribute('d', values.includes(null) || values.length < 2 ? '' : `${d}L300 80L0 80Z`);
      const text = `median ${millis(known[known.length >> 1])}, at most ${millis(known[known.length - 1])}`;
      setText(range, text);
      picture.setAttribute('aria-label', `Round trips: ${text}`);
    },
  };
}

// Bars, one a call.
export function callPlot() {
  const bars = svg('svg', { viewBox: '0 0 300 50', preserveAspectRatio: 'none', role: 'img' });
  const range = h('span');
  const element = h('figure', { class: 'plot history', hidden: true }, bars, h('figcaption', {}, h('span', {}, 'time of the last calls'), range));
  return {
    element,
    draw(calls) {
      element.hidden = calls.length < 2;
      const top = Math.max(...calls.map((call) => call.time)) || 1;
      const last = calls.slice(-40);
      bars.replaceChildren(...last.map((call, i) => svg('rect', {
        x: i * 7.5, width: 5, rx: 1, height: Math.max((call.time / top) * 48, 1.5), y: 49 - Math.max((call.time / top) * 48, 1.5),
        class: call.failed ? 'failed' : 'fine',
      })));
      const text = `last ${millis(calls[calls.length - 1].time)}, at most ${millis(top)}`;
      setText(range, text);
      bars.setAttribute('aria-label', `Time of the last ${last.length} calls: ${text}`);
    },
  };
}
