// What the chat shows beside plain text: the tiles of the first screen, the shape of an answer, tables, drawings,
// sources, the question whether it helped. Loaded when the chat is first opened.

const SAY = {
	table: 'MS and ALS side by side',
	aspect: 'Aspect',
	sources: (n) => (n > 1 ? `${n} sources` : '1 source'),
	unchecked: ', not all read again yet',
	reviewed: (day) => ` · facts as of ${day}`,
	facts: (day) => `Facts as of ${day}.`,
	tab: ' (opens in a new tab)',
	helpful: 'Was this helpful?',
	yes: 'Yes',
	no: 'No',
	thanks: 'Thank you.',
	why: 'Why? (optional)',
	send: 'Send',
	away: 'The assistant did not answer. Please try again.',
};

/** Icon, what stands on the tile, and the question when it is another. First for whom it is, then what it is about. */
const DOORS = [
	['M5 20V4h9l-1 4 1 4H5', 'Just diagnosed', 'I have just been diagnosed with MS or ALS. What now?'],
	['M12 20C4 14 3 11 3 8.5a4.5 4.5 0 0 1 9-1 4.5 4.5 0 0 1 9 1C21 11 20 14 12 20z', 'For someone I love', 'How can I help somebody I love who has MS or ALS?'],
];
const TILES = [
	['M2 12h3M10 12h4M19 12h3M5 9h5v6H5zM14 9h5v6h-5z', 'What is MS?'],
	['M12 3a3 3 0 1 1 0 6 3 3 0 0 1 0-6M12 9v6l-5 6M12 15l5 6M12 13l7-1M12 13l-7-1', 'What is ALS?'],
	['M4 5h6v14H4zM14 5h6v14h-6z', 'Compare them', 'How do MS and ALS differ?'],
	['M2 12h5l2-6 4 12 2-6h7', 'Symptoms', 'What are the symptoms of MS and ALS?'],
	['M12 5v14M5 12h14', 'Treatment', 'How are MS and ALS treated?'],
	['M4 11l8-7 8 7v9h-5v-6H9v6H4z', 'Living with it', 'What helps people live with MS or ALS?'],
];
const THUMB = 'M4 11h4v8H4zM8 12l3-8c2 0 3 1 2 5h5c2 0 2 1 2 2l-1 6c0 1-1 2-2 2H8';

/** Where a sentence ends and another begins: not behind "Dr." or "e.g.". */
const SENTENCE = /(?<=[^.]{2}[.!?]["”)]?)(?<!\b(?:Dr|Mr|Mrs|Ms|St|vs|No)\.) +(?=["“(¿¡«]?[\p{Lu}\p{Lo}])/u;
/** Characters: of a sentence that says enough to lead, of one that is too long to be bold, and of a paragraph. */
const SHORT = 20;
const LONG = 110;
const ENOUGH = 90;

/** Topics that a drawing explains; chat-drawings.js knows which one. */
const PICTURED = /^(definition|difference|similarity|myelin|types|progression|diagnosis|early_signs)$/;

/** What is no answer that could have helped; after "forget me" of all things nobody is asked for anything. */
const UNRATED = /^(crisis|emergency|smalltalk|error)$/;

export function addTiles(chat, first) {
	const { h, icon, button } = chat.kit;
	dress(chat);
	const tile = ([path, title, question]) => button([icon(path), h('span', 0, title)], () => chat.ask(question || title));
	first.lastChild.before(h('div', { className: 'tiles doors' }, DOORS.map(tile)), h('div', { className: 'tiles' }, TILES.map(tile)));
	// Who types or says what stands on a tile means the tile.
	chat.meant = (text) => first.isConnected && [...DOORS, ...TILES].find(([, title]) => bare(title) === bare(text))?.[2];
}

const bare = (text) => text.toLowerCase().replace(/[^a-z ]/g, '').trim();

/** Between the answer and the disclaimer: picture, table, sources; at the end, whether it helped. */
export function addTo(chat, article, entry) {
	const { h, partsOf, isUrgent } = chat.kit;
	dress(chat);
	const meta = entry.metadata || {};
	const { rows, sources } = partsOf(entry);
	const text = article.querySelector('.text');
	(isUrgent(entry) ? shapeUrgent : shape)(chat.kit, text, meta);
	text.after(...[rows[0] && table(h, rows), sources[0] && sourcesOf(h, sources, meta)].filter(Boolean));
	if (meta.outcome === 'answered' && (meta.drawing || PICTURED.test(meta.topic))) {
		chat.extra('drawings', ({ addDrawing }, folder) => addDrawing(chat, text, meta, folder).then(() => settle(chat)), () => {});
	}
	const isLast = article === chat.list.lastChild;
	if (isLast && !entry.rated && !chat.unrated && !UNRATED.test(meta.outcome)) article.append(feedback(chat, article, entry));
	settle(chat);
}

/** The answer leads; what stands behind it comes in short paragraphs, what is only near it comes last and smaller. */
function shape({ h }, text, { outcome, questions }) {
	const several = questions?.length > 1;
	const lines = [...text.children].map((line, i) => {
		const [, disease, said] = /^(?:(MS|ALS): )?(.*)$/s.exec(line.textContent);
		const leads = !i || disease || several;
		const [lead, ...rest] = paragraphsOf(said, leads);
		const className = leads ? 'lead' : outcome === 'answered' ? 'near' : null;
		return [h('p', { className: leads && lead.length > LONG ? 'lead calm' : className }, disease && h('b', { className: disease }, `${disease}: `), lead), rest.map((part) => h('p', 0, part))];
	});
	// The spaces are for who reads the text without its paragraphs.
	text.replaceChildren(...lines.flat(2).flatMap((part) => [part, ' ']));
}

/** A text in parts of a few sentences; the first sentence is a part by itself, if it says enough. */
function paragraphsOf(text, leads) {
	const parts = [];
	for (const sentence of text.split(SENTENCE)) {
		const last = parts.at(-1);
		const room = parts.length > 1 || !leads ? ENOUGH : SHORT;
		if (last?.length < room) parts.push(`${parts.pop()} ${sentence}`);
		else parts.push(sentence);
	}
	return parts;
}

/** A row for each country, and each way to reach help on a line of its own, to be pressed. */
function shapeUrgent({ h, withPhoneLinks }, text, { outcome }) {
	const linked = (part, i) => (i % 2 ? h('a', { href: `https://${part}`, target: '_blank', rel: 'noopener noreferrer', className: 'call' }, part) : withPhoneLinks(part));
	const way = (said) => h('span', 0, said.replace(/\.$/, '').split(/\b([a-z\d]+\.(?:com|org))\b/).map(linked), ' ');
	for (const line of [...text.children]) {
		const [, place, ways] = /^([A-Z][\w ,]{1,40}): (.+)$/.exec(line.textContent) || [];
		if (place) line.replaceWith(h('p', { className: 'row' }, h('b', 0, `${place}: `), h('span', 0, ways.split(SENTENCE).map(way))));
	}
	text.firstChild.className = outcome === 'emergency' ? 'lead' : 'lead calm';
	for (const link of text.querySelectorAll('.call')) {
		const mark = /^[,.;:)]+/.exec(link.nextSibling?.data)?.[0];
		if (!mark) continue;
		link.nextSibling.data = link.nextSibling.data.slice(mark.length);
		const whole = h('span', { className: 'whole' }); // no line begins with a comma
		link.before(whole);
		whole.append(link, mark);
	}
}

function dress(chat) {
	if (chat.dressed) return;
	chat.dressed = true;
	chat.style(CSS);
	for (const name of ['wheel', 'touchmove', 'pointerdown', 'keydown']) {
		chat.log.addEventListener(name, () => { chat.moved = true; }, { passive: true });
	}
	window.addEventListener('beforeprint', () => onPaper(chat, true));
	window.addEventListener('afterprint', () => onPaper(chat, false));
}

/** What comes late moves nobody who reads; who has not moved yet stays where reading begins. */
function settle(chat) {
	cancelAnimationFrame(chat.frame);
	chat.frame = requestAnimationFrame(() => chat.moved || chat.reveal());
}

/** Paper takes all of it: out of the top layer, which is one screen high, and with its sources unfolded. */
function onPaper(chat, begins) {
	chat.onPaper = begins;
	if (begins) {
		chat.folded = chat.root.querySelectorAll('details:not([open])');
		chat.before = chat.held;
	}
	chat.folded.forEach((one) => { one.open = begins; });
	const lifted = !chat.inline && chat.isOpen;
	if (!begins) {
		if (lifted) chat.arrange();
		chat.before?.focus();
	} else if (lifted && chat.panel.open) chat.panel.close();
	else if (lifted) chat.shell.append(chat.panel); // leaves the top layer at once, which hidePopover() does only later
}

/** The roles keep it a table where CSS makes cards of the rows. */
function table(h, rows) {
	const columns = Object.keys(rows[0]).filter((name) => name !== 'aspect');
	const row = (...cells) => h('tr', { role: 'row' }, cells);
	const head = (text, scope, role) => h('th', { scope, role }, text);
	return h('table', { role: 'table' },
		h('caption', 0, SAY.table),
		h('thead', { role: 'rowgroup' }, row([SAY.aspect, ...columns].map((name) => head(name, 'col', 'columnheader')))),
		h('tbody', { role: 'rowgroup' }, rows.map((cells) => row(
			head(cells.aspect, 'row', 'rowheader'),
			columns.map((name) => h('td', { role: 'cell', 'data-name': name }, cells[name]))))));
}

function sourcesOf(h, sources, { reviewed, checked }) {
	const date = new Date(`${reviewed}T00:00`);
	const day = (style) => (isNaN(date) ? '' : date.toLocaleDateString('en', style));
	const month = day({ month: 'short', year: 'numeric' });
	const summary = [SAY.sources(sources.length), checked === false && SAY.unchecked, month && SAY.reviewed(month)];
	return h('details', 0,
		h('summary', 0, summary),
		h('ul', 0, sources.map((one) => source(h, one))),
		month && h('p', { className: 'note' }, SAY.facts(day({ dateStyle: 'long' }))));
}

function source(h, { title, publisher, url, year }) {
	const name = title || url;
	const parts = [h('span', 0, name), ' ', h('span', { className: 'note' }, [publisher, year].filter(Boolean).join(', '))];
	return h('li', 0, /^https?:\/\/\w/i.test(url) ? h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, parts, h('span', { className: 'sr' }, SAY.tab)) : parts);
}

/** Thumbs; then, if somebody likes to say it, why. */
function feedback(chat, article, entry) {
	const { h, icon, button, id } = chat.kit;
	const { outcome, topic } = entry.metadata || {};
	const vote = id(); // sent again with its reason, it is still one vote
	const thumb = (label, helpful) => button([icon(THUMB), label], () => rate(helpful), { className: `thumb ${label}` });
	const group = h('div', { className: 'now rate', role: 'group', tabIndex: -1, 'aria-label': SAY.helpful }, SAY.helpful,
		thumb(SAY.yes, true), thumb(SAY.no, false));

	async function rate(helpful, reason) {
		const { held } = chat;
		const { status, ok } = await chat.post('feedback', { vote, outcome, topic, helpful, reason }).catch(() => 0);
		if (ok) {
			chat.memory.change(({ log }) => log.forEach((one) => { if (one.id === entry.id) one.rated = true; }));
			chat.announce(SAY.thanks);
			group.replaceChildren(SAY.thanks);
			if (reason == null) group.append(why(helpful));
		} else if (status === 404) {
			chat.unrated = true; // this server takes no votes
			group.remove();
		} else chat.announce(SAY.away);
		if (held && !held.isConnected) (ok ? group : article).focus();
	}

	function why(helpful) {
		const reason = h('input', { id: 'why', maxLength: 500 });
		const onsubmit = (event) => {
			event.preventDefault();
			rate(helpful, reason.value);
		};
		return h('form', { className: 'why', onsubmit }, h('label', { htmlFor: 'why' }, SAY.why), reason, h('button', 0, SAY.send));
	}

	return group;
}

const CSS = `
	.shell { --ms: #8a3a06; --als: #3450a4; }
	@media (prefers-color-scheme: dark) { .shell { --ms: #ffb37a; --als: #b3c4ff; } }
	@media (prefers-contrast: more) {
	.shell { --bg: Canvas; --card: Canvas; --ink: CanvasText; --soft: CanvasText; --line: CanvasText; --rim: CanvasText; }
	}
	.first { display: grid; gap: 10px; }
	.first h3 { font-size: 1.375em; line-height: 1.3; }
	.sos { padding-left: .8em; border-left: 4px solid var(--alarm); font-size: .9375em; font-weight: 600; }
	.sos .call { margin: 0; padding: 0; border-color: transparent; background: none; }
	@media (hover: hover) {
	@container panel (min-width: 24em) and (min-height: 32em) { .hint { display: block !important; text-align: center; } }
	}
	.day { text-align: center; }
	.dots { color: var(--soft); }
	.dots::before { content: "● ● ●" / ""; font-size: .5em; letter-spacing: .3em; }
	@media (prefers-reduced-motion: no-preference) {
	.dots::before { animation: pulse 1s infinite alternate; }
	@keyframes pulse { to { opacity: .3; } }
	}
	.tiles { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; }
	.tiles button { display: flex; gap: .6em; align-items: center; min-height: 52px; padding: 4px 10px; border-color: var(--line); color: var(--ink); font-weight: 600; line-height: 1.3; overflow-wrap: normal; font-size: .9375em; }
	.tiles svg { color: var(--accent); }
	.doors button { background: var(--tint); border-color: var(--accent); }
	@container (min-width: 32em) {
		.first { gap: 16px; padding-top: 8px; }
		.tiles:not(.doors) { grid-template-columns: repeat(3, 1fr); }
		.tiles button { min-height: 64px; padding: .6em 1em; }
	}
	@container panel (min-height: 43em) {
		.first { gap: 16px; padding-top: 12px; }
		.tiles button { min-height: 64px; }
	}
	.lead { font-size: 1.125em; font-weight: 600; line-height: 1.4; }
	.lead .MS { color: var(--ms); }
	.lead .ALS { color: var(--als); }
	.near { padding-inline-start: .8em; border-inline-start: 3px solid var(--line); color: var(--soft); }
	.text > :not(.lead) + .lead { margin-top: 1em; }
	.calm { font-weight: 400; }
	.whole { white-space: nowrap; }
	.row { display: grid; grid-template-columns: 5.5em 1fr; gap: 0 .5em; align-items: baseline; padding-top: .5em; border-top: 1px solid var(--line); }
	.row span { display: block; }
	details, .rate { border-top: 1px solid var(--line); }
	details + .note { margin-top: 0; }
	summary { display: list-item; min-height: 44px; padding: 12px 0; color: var(--soft); font-size: var(--small); cursor: pointer; }
	details ul { padding: 0; list-style: none; }
	details li { line-height: 1.4; }
	details a { display: block; min-height: 44px; padding: 6px 0; font-size: .9375em; text-decoration: none; }
	details a :first-child { text-decoration: underline; }
	details a .note { display: block; }
	details p.note { padding: .4em 0 .8em; }
	.rate { display: flex; flex-wrap: wrap; gap: 0; align-items: center; margin-bottom: -.5em; padding-top: .2em; color: var(--soft); font-size: var(--small); }
	.thumb { display: flex; gap: .4em; align-items: center; padding-inline: .7em; border-color: transparent; border-radius: 2em; background: none; }
	.thumb svg { width: 1.3em; height: 1.3em; }
	.No svg { transform: scale(-1); }
	.why { flex: 1 0 100%; grid-template-columns: 1fr auto; gap: 4px 8px; padding: 8px 0; border: 0; background: none; }
	.why label { grid-column: 1 / -1; }
	.why input { width: 100%; color: var(--ink); }
	table { width: 100%; border-collapse: collapse; font-size: .9375em; }
	th, td { padding: .6em .5em; border-bottom: 1px solid var(--line); text-align: start; vertical-align: top; }
	caption { padding-bottom: .4em; }
	th:nth-child(2), [data-name=MS]::before { color: var(--ms); }
	th:nth-child(3), [data-name=ALS]::before { color: var(--als); }
	figure svg { display: block; width: 100%; max-width: 30em; height: auto; margin: 0 auto; fill: var(--ink); stroke: none; }
	figcaption a { display: inline-flex; align-items: center; min-height: 44px; }
	figcaption { margin-top: .4em; color: var(--soft); font-size: var(--small); }
	@container (max-width: 32em) {
		table, caption, tbody, tr, th, td { display: block; padding: 0; border: 0; }
		thead { position: absolute; clip-path: inset(50%); }
		tr { margin-top: 8px; padding: .6em .8em; border: 1px solid var(--line); border-radius: 10px; }
		td { margin-top: .4em; }
		td::before { content: attr(data-name) " " / ""; font-weight: 650; }
	}
	@media (forced-colors: active) {
		.field:focus-within { outline: 2px solid Highlight; }
		figure svg { --ink: CanvasText; --soft: CanvasText; --line: CanvasText; --rim: CanvasText; --ms: CanvasText; --als: CanvasText; --alarm: CanvasText; --accent: LinkText; --tint: Canvas; --card: Canvas; --bg: Canvas; }
	}
	@media print {
		:host(:not([open], [inline])), form, header button, .options, .now, .notice, .first { display: none !important; }
		:host, .shell, .panel, .body, .log { display: block !important; position: static !important; width: auto !important; height: auto !important; max-height: none !important; overflow: visible !important; border: 0; container: none; background: none; box-shadow: none; }
	}
`;
