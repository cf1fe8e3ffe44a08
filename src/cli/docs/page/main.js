// The frame: what is shown follows the part of the address behind `#`, so that links and the way back work.

const main = document.getElementById('main');

/** `#silver.orders`, `#silver.orders/versions`, `#silver.orders:total`, `#runs`, `#runs/ID`; nothing is the overview. */
function route() {
  const hash = location.hash.slice(1);
  if (hash === '') return { title: docs.project, draw: overview };
  const [view, ...rest] = hash.split('/');
  if (view === 'runs') return { title: 'Runs', view: 'runs', draw: () => runsPage(rest.join('/')) };
  const [name, ...column] = view.split(':');
  if (tableOf.has(name)) {
    const chosen = column.length > 0 ? decoded(column.join(':')) : null;
    return { title: name, table: name, section: rest[0], column: chosen, draw: () => tablePage(name, chosen) };
  }
  return { title: 'Not found', draw: () => unknown(decoded(hash)) };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const unknown = (name) => [
  h('h1', { tabindex: '-1' }, 'There is no such table'),
  h('p', { class: 'lead' }, 'Nothing here is called ', h('code', null, cut(name, 200)), '. ', h('a', { href: '#' }, 'Overview')),
];

/** Where people were on each page that they have left. */
const left = new Map();
let [shown, clicked] = [null, true];

function show() {
  const page = route();
  document.querySelectorAll('.map').forEach((map) => map.leave());
  main.replaceChildren(...page.draw().flat(Infinity).filter(Boolean));
  document.title = page.title === docs.project ? docs.project : `${page.title} · ${docs.project}`;
  markLinks(page);
  if (shown !== null) main.querySelector('h1').focus({ preventScroll: true });
  window.scrollTo(0, clicked ? 0 : left.get(location.hash) ?? 0);
  const target = page.section && main.querySelector(`[data-section="${CSS.escape(page.section)}"]`);
  if (target) reveal(target);
  const followed = page.column && main.querySelector('[data-section=lineage]');
  (followed || main.querySelector('details.run[open]'))?.scrollIntoView();
  [shown, clicked] = [location.hash, false];
}

function reveal(target) {
  target.scrollIntoView();
  target.querySelector('h2').focus({ preventScroll: true });
}

function visit(hash) {
  clicked = true;
  if (location.hash === hash) show();
  else location.hash = hash;
}

function markLinks(page) {
  for (const link of document.querySelectorAll('#tables a, #views a')) {
    const target = link.getAttribute('href').slice(1);
    const own = target === (page.table ?? page.view ?? '');
    if (own) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
    if (own && page.table) link.scrollIntoView({ block: 'nearest' });
  }
}

function sidebar() {
  const link = (table) => h('li', null, h('a', { href: `#${table.table}`, class: table.state, title: table.table },
    h('span', { class: 'sign', 'aria-hidden': 'true' }, table.state === 'current' ? '' : STATES[table.state].sign),
    h('span', { class: 'label' }, table.table.split('.')[1]),
    table.state !== 'current' && h('span', { class: 'hidden' }, `, ${STATES[table.state].word}`)));
  return LAYERS.map((layer) => [layer, docs.tables.filter((table) => table.layer === layer)])
    .filter(([, tables]) => tables.length > 0)
    .flatMap(([layer, tables]) => [
      h('h2', { class: layer }, layer, h('span', null, number(tables.length))),
      h('ul', null, [...tables].sort((a, b) => (a.table < b.table ? -1 : 1)).map(link)),
    ]);
}

/** Light or dark, as the system has it until people choose; kept where the browser lets pages keep anything. */
function theme() {
  const button = document.getElementById('theme');
  const system = matchMedia('(prefers-color-scheme: dark)');
  const kept = () => {
    try {
      return localStorage.getItem('lakesmith-theme');
    } catch {
      return null;
    }
  };
  let chosen = kept();
  const isDark = () => (chosen === null ? system.matches : chosen === 'dark');
  const draw = () => {
    if (chosen === null) delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    button.textContent = isDark() ? '☀' : '☾';
    button.setAttribute('aria-label', isDark() ? 'Light colours' : 'Dark colours');
    button.title = button.getAttribute('aria-label');
  };
  button.addEventListener('click', () => {
    chosen = isDark() ? 'light' : 'dark';
    try {
      localStorage.setItem('lakesmith-theme', chosen);
    } catch {
      // it holds until the page is left
    }
    draw();
  });
  system.addEventListener('change', draw);
  draw();
}

theme();
document.getElementById('brand').append(h('strong', null, docs.project), h('span', { class: 'chip' }, docs.environment));
document.getElementById('views').append(h('a', { href: '#' }, 'Overview'), h('a', { href: '#runs' }, 'Runs'));
document.getElementById('tables').append(...sidebar());
document.getElementById('skip').addEventListener('click', () => main.focus());
document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href^="#"]');
  if (!link || event.defaultPrevented) return;
  clicked = true;
  if (link.getAttribute('href') === (location.hash || '#')) window.scrollTo(0, 0);
});
window.addEventListener('scroll', () => { if (shown === location.hash) left.set(location.hash, window.scrollY); }, { passive: true });
window.addEventListener('hashchange', show);
history.scrollRestoration = 'manual';
searching();
show();
