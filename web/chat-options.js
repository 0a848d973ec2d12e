// The menu of the chat: take the conversation along, begin again, be forgotten, voice. Loaded when it is first opened.

const SAY = {
	copy: 'Copy conversation',
	print: 'Print',
	save: 'Save as text',
	restart: 'Start over',
	forget: 'Forget me',
	sure: 'Erase this conversation here and on the server?',
	erase: 'Erase it',
	keep: 'Keep it',
	aloud: 'Read answers aloud',
	mic: 'Ask by voice',
	voice: 'Your browser does the voice. Its maker may receive the sound or the text.',
};

const ICONS = {
	copy: 'M9 9h10v11H9zM15 9V4H5v11h4',
	print: 'M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z',
	save: 'M12 4v11M7 11l5 5 5-5M5 20h14',
	restart: 'M5 5v5h5M5 10a8 8 0 1 1-1 5',
	forget: 'M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13',
	aloud: 'M4 10v4h4l5 4V6L8 10zM17 9a4 4 0 0 1 0 6',
	mic: 'M12 4v8M8 11a4 4 0 0 0 8 0M12 16v4',
};

export function fill(chat) {
	const { h, icon, button } = chat.kit;
	chat.style(CSS);
	const item = (name, onclick, props) => button([icon(ICONS[name]), SAY[name]], onclick, props);
	const out = (name) => item(name, () => chat.extra('export', (part) => part[name](chat)));

	function leave(text) {
		chat.unfold();
		chat.box.focus();
		if (text) chat.ask(text);
	}

	// Not the browser's own confirm(): frames often may not show it, and then it says no.
	const sure = h('div', { className: 'sure', hidden: true, role: 'group', 'aria-label': SAY.forget }, h('p', 0, SAY.sure),
		button(SAY.erase, () => { sure.hidden = true; leave('forget me'); }, { className: 'strong' }),
		button(SAY.keep, () => { sure.hidden = true; leave(); }));
	const forget = item('forget', () => {
		sure.hidden = false;
		sure.querySelector('button').focus();
	});

	function toggle(name, change) {
		const node = item(name, () => {
			chat.memory.change((state) => { state[name] = !state[name]; });
			apply(chat.memory.state[name]);
		});
		const apply = (on) => {
			node.setAttribute('aria-pressed', on);
			change(on);
		};
		apply(!!chat.memory.read()[name]);
		return node;
	}

	const ear = window.SpeechRecognition || window.webkitSpeechRecognition;
	const mouth = window.speechSynthesis;
	chat.options.append(...[
		out('copy'), out('print'), out('save'),
		item('restart', () => leave('start over')),
		mouth && toggle('aloud', (on) => on || mouth.cancel()),
		ear && toggle('mic', (on) => { chat.mic.hidden = !on; }),
		forget, sure,
		(mouth || ear) && h('p', { className: 'note' }, SAY.voice),
	].filter(Boolean));
}

const CSS = `
	.options { display: grid; grid-template-columns: repeat(auto-fill, minmax(11.5em, 1fr)); gap: 2px 8px; max-height: 60%; padding: 8px; overflow: auto; border-bottom: 1px solid var(--line); background: var(--card); }
	.options > button { display: flex; gap: .7em; align-items: center; border-color: transparent; color: var(--ink); }
	.options svg { color: var(--accent); }
	.options p, .sure { grid-column: 1 / -1; }
	.options > p { padding: 4px 12px; }
	.sure { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; padding: 8px 12px; }
	.sure p { flex: 1 0 100%; }
	[aria-pressed=true] { background: var(--tint); }
	[aria-pressed=true]::after { content: "✓" / ""; margin-inline-start: auto; }
`;
