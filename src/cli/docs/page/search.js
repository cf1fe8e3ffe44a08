// Search by name, description, owner and column, and of runs by the beginning of their ids: a combobox as the ARIA
// practices have it.

const FOUND = 12;

const places = [...docs.tables.flatMap((table) => [
  { text: table.table, hash: `#${table.table}`, kind: table.layer, also: [table.owner, table.description].filter(Boolean).join(' ') },
  ...table.columns.map((column) => ({
    text: column.name, hash: `#${table.table}:${encodeURIComponent(column.name)}`, kind: 'column', of: table.table, also: column.description ?? '',
  })),
]), ...runs.map((run) => ({ text: run.id, hash: `#runs/${run.id}`, kind: 'run', also: `${stamp(run.begin)} UTC, ${fared(run)}` }))];

/** The smaller the better; nothing if it does not match. */
function rank(place, words) {
  const [text, also] = [place.text.toLowerCase(), `${place.of ?? ''} ${place.also}`.toLowerCase()];
  if (place.kind === 'run') return words.length === 1 && text.startsWith(words[0]) ? 1 : null;
  const name = text.slice(text.indexOf('.') + 1);
  const own = words.map((word) => {
    if (name === word || text === word) return 0;
    if (name.startsWith(word) || text.startsWith(word)) return 1;
    if (name.split(/[_.]/).some((part) => part.startsWith(word))) return 2;
    if (text.includes(word)) return 3;
    return also.includes(word) ? 4 : null;
  });
  return own.includes(null) ? null : own.reduce((sum, n) => sum + n, 0) * 2 + (place.of ? 1 : 0);
}

function matches(question) {
  const words = question.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const ranked = places.map((place) => ({ place, rank: rank(place, words) })).filter((found) => found.rank !== null);
  return ranked.sort((a, b) => a.rank - b.rank).slice(0, FOUND).map((found) => found.place);
}

function searching() {
  const input = document.getElementById('search');
  const list = document.getElementById('found');
  let [found, chosen] = [[], 0];
  const close = () => {
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  };
  const go = (place) => {
    close();
    input.value = '';
    input.blur();
    visit(place.hash);
  };
  const choose = (at) => {
    chosen = (at + found.length) % found.length;
    [...list.children].forEach((item, n) => item.setAttribute('aria-selected', String(n === chosen)));
    list.children[chosen].scrollIntoView({ block: 'nearest' });
    input.setAttribute('aria-activedescendant', list.children[chosen].id);
  };
  const draw = () => {
    found = matches(input.value);
    if (input.value.trim() === '') { close(); return; }
    list.replaceChildren(...found.map((place, at) => h('li', { id: `found-${at}`, role: 'option', 'aria-selected': 'false', onpointerdown: (event) => { event.preventDefault(); go(place); } },
      h('span', { class: `name ${place.kind}` }, place.text), h('span', { class: 'of' }, place.of ?? cut(place.also, 60)))));
    if (found.length === 0) list.append(h('li', { role: 'option', 'aria-disabled': 'true', class: 'nothing' }, 'Nothing is called so.'));
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    if (found.length > 0) choose(0);
  };
  input.addEventListener('input', draw);
  input.addEventListener('focus', draw);
  input.addEventListener('blur', close);
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') { if (list.hidden) input.blur(); input.value = ''; close(); event.preventDefault(); }
    if (list.hidden || found.length === 0) return;
    if (event.key === 'ArrowDown') { choose(chosen + 1); event.preventDefault(); }
    if (event.key === 'ArrowUp') { choose(chosen - 1); event.preventDefault(); }
    if (event.key === 'Enter') { go(found[chosen]); event.preventDefault(); }
  });
  document.addEventListener('keydown', (event) => {
    const typing = event.target.closest?.('input, textarea, select');
    if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      input.focus();
      input.select();
    }
  });
}

