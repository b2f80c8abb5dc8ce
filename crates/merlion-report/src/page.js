// The page can be read without this. It filters the series, and says what is under the pointer.
(() => {
  'use strict';
  const filter = document.querySelector('.filter');
  if (filter) {
    const panels = [...document.querySelectorAll('.panel')];
    const [search, marked, shown] = ['input[type=search]', 'input[type=checkbox]', 'output'].map((s) => filter.querySelector(s));
    const apply = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      for (const panel of panels) {
        const text = panel.querySelector('header').textContent.toLowerCase();
        const fits = words.every((word) => text.includes(word)) && !(marked && marked.checked && !panel.dataset.marked);
        panel.hidden = !fits;
        count += fits;
      }
      shown.value = count === panels.length ? '' : count + ' of ' + panels.length;
    };
    filter.hidden = false;
    filter.addEventListener('input', apply);
    apply();
  }
  const add = (parent, tag, kind, text) => {
    const element = document.createElement(tag);
    element.className = kind;
    element.textContent = text;
    return parent.appendChild(element);
  };
  const NAMES = { observed: 'observed', forecast: 'forecast', standIn: 'fallback' };
  for (const frame of document.querySelectorAll('.frame[data-span]')) {
    const { start, span, digits } = frame.dataset;
    const plot = frame.querySelector('.plot');
    let points, hair, tip;
    const read = () => Object.keys(NAMES).flatMap((kind) => (frame.dataset[kind] || '').split(';').filter(Boolean).map((point) => {
      const [value, ...notes] = point.slice(point.indexOf('=') + 1).split('|');
      return { at: parseFloat(point), kind, value, notes };
    }));
    const hide = () => {
      if (tip) { tip.hidden = hair.hidden = true; }
    };
    frame.addEventListener('pointermove', (event) => {
      points = points || read();
      const box = plot.getBoundingClientRect();
      const pointed = (event.clientX - box.left) / box.width * span;
      const near = points.reduce((best, point) => Math.abs(point.at - pointed) < Math.abs(best - pointed) ? point.at : best, Infinity);
      if (!(Math.abs(near - pointed) / span * box.width < 40)) { return hide(); }
      hair = hair || add(frame, 'div', 'hair', '');
      tip = tip || add(frame, 'div', 'tip', '');
      tip.hidden = hair.hidden = false;
      const time = new Date(+start + near).toISOString().replace('T', ' ').slice(0, Math.min(digits, 23));
      tip.textContent = '';
      add(tip, 'b', '', time);
      for (const point of points.filter((point) => point.at === near)) {
        add(tip, 'span', '', NAMES[point.kind] + ' ' + point.value);
        for (const note of point.notes) { add(tip, 'span', 'soft', note); }
      }
      const left = box.left - frame.getBoundingClientRect().left + near / span * box.width;
      hair.style.left = left + 'px';
      tip.style.left = Math.max(0, Math.min(left + 10, frame.clientWidth - tip.offsetWidth)) + 'px';
      if (left + 10 + tip.offsetWidth > frame.clientWidth) { tip.style.left = Math.max(0, left - 10 - tip.offsetWidth) + 'px'; }
    });
    frame.addEventListener('pointerleave', hide);
  }
})();
