// <ms-als-chat>: the chat of MS & ALS Answers. Nothing said in it is ever HTML.
(() => {
	const STYLE = new URL('ms-als-chat.css', document.currentScript.src).href;
	const LONGEST = 2000;
	const STRINGS = {
		en: {
			title: 'MS & ALS Answers',
			launch: 'Ask about MS or ALS',
			close: 'Close',
			log: 'Conversation',
			you: 'You',
			bot: 'Assistant',
			urgent: 'Get help now',
			welcome: 'Hello. Ask about multiple sclerosis (MS), ALS (also called MND) or both. Take your time.',
			starters: ['What is MS?', 'What is ALS?', 'How do MS and ALS differ?'],
			disclaimer: 'General information, not medical advice. In an emergency call 112, 911 or 999.',
			question: 'Your question',
			hint: 'Enter sends. Shift+Enter starts a new line.',
			left: (n) => `${n} characters left`,
			send: 'Send',
			waiting: 'Looking for an answer…',
			slow: 'This takes longer than usual. Nothing you wrote is lost.',
			away: 'The assistant did not answer. Nothing you wrote is lost.',
			busy: (s) => `The assistant is busy. Nothing you wrote is lost. Please try again in ${s > 90 ? `${Math.ceil(s / 60)} minutes` : s ? `${Math.max(s, 2)} seconds` : 'a little while'}.`,
			retry: 'Try again',
			table: 'MS and ALS side by side',
			aspect: 'Aspect',
			sources: 'Sources',
			tab: ' (opens in a new tab)',
			counts: ['Table rows', 'Sources', 'Suggested questions'],
			reviewed: (day) => `Facts last looked at on ${day}. `,
			unchecked: 'Some sources are not checked yet. ',
			helpful: 'Was this helpful?',
			yes: '👍 Yes',
			no: '👎 No',
			thanks: 'Thank you.',
			why: 'Why? (optional)',
			options: 'Options',
			copy: 'Copy conversation',
			copied: 'Copied.',
			uncopied: 'Copying was not allowed.',
			print: 'Print',
			save: 'Save as text',
			restart: 'Start over',
			forget: 'Forget me',
			sure: 'Erase this conversation here and on the server?',
			aloud: 'Read answers aloud',
			mic: 'Ask by voice',
			voice: 'Your browser does the voice. Its maker may receive the sound or the text.',
			speak: 'Speak',
			listening: 'Stop listening',
			unheard: 'Nothing was heard.',
		},
	};

	function h(tag, props, ...children) {
		const node = document.createElement(tag);
		for (const [key, value] of Object.entries(props)) {
			if (key in node) node[key] = value;
			else node.setAttribute(key, value);
		}
		node.append(...children.flat(3).filter(Boolean));
		return node;
	}

	const button = (label, onclick, props) => h('button', { type: 'button', onclick, ...props }, label);
	const list = (value) => (Array.isArray(value) ? value.filter(Boolean) : []);

	// 911, 1737, 116 123; not years, 10,000 or the 24 of "24 hours".
	function withPhoneLinks(text) {
		const parts = [];
		let end = 0;
		for (const { 0: found, index } of text.matchAll(/\+?(?:\d+|\(\d+\))(?:[ ,.-](?!24\b)(?:\d+|\(\d+\)))*/g)) {
			const digits = found.replace(/[^+\d]/g, '');
			if (!/^(\d{3}|(?!19|20)\d{4})$/.test(found) && (found.includes(',') || !/\d{5}/.test(digits))) continue;
			const scheme = /\btext \S+ to $/i.test(text.slice(0, index)) ? 'sms:' : 'tel:';
			parts.push(text.slice(end, index), h('a', { href: scheme + digits, className: 'call' }, found));
			end = index + found.length;
		}
		return [...parts, text.slice(end)];
	}

	function chat(host) {
		const lang = [host.closest('[lang]')?.lang.slice(0, 2), 'en'].find((name) => STRINGS[name]);
		const say = STRINGS[lang];
		const inline = host.hasAttribute('inline');
		const server = (host.getAttribute('server') || '').replace(/\/+$/, '');
		const root = host.attachShadow({ mode: 'open' });
		let busy, pause, ear, unrated;

		// Storage may be blocked, and randomUUID is missing without https.
		const key = `ms-als-chat ${server}`;
		const id = () => crypto.randomUUID?.() ?? crypto.getRandomValues(new Uint32Array(4)).join('-');
		const fresh = (old) => ({ ...old, sender: id(), log: [], draft: '' });
		let state = fresh();
		const storage = (use) => { try { use(localStorage); } catch {} };
		const save = () => storage((it) => it.setItem(key, JSON.stringify(state)));
		const erase = () => storage((it) => it.removeItem(key));
		storage((it) => {
			const kept = JSON.parse(it.getItem(key));
			Object.assign(state, kept, { log: list(kept.log) });
		});

		const post = (path, body) => fetch(`${server}/${path}`, {
			method: 'POST',
			headers: { 'Content-Type': 'application/json' },
			body: JSON.stringify(body),
			signal: AbortSignal.timeout?.(60000),
		});

		function ask(me, message = me) {
			if (busy) return tell(say.waiting);
			const held = root.activeElement;
			show({ me }, state.log.push({ me, message }));
			save();
			send(held);
		}

		// The last entry of the log is the person's own until it is answered.
		async function send(held = root.activeElement) {
			const { me, message } = state.log.at(-1);
			// The server knows its buttons for a day, and none once it forgot the person.
			const known = Date.now() - state.at < 8e7;
			const timers = [setTimeout(tell, 400, say.waiting), setTimeout(tell, 8000, say.slow)];
			busy = true;
			tell();
			polite.textContent = alarm.textContent = '';
			refocus(held);
			try {
				const response = await post('webhooks/rest/webhook', { sender: state.sender, message: known ? message : me });
				if (!response.ok) throw response;
				const replies = list(await response.json());
				if (!replies.length) throw response;
				tell();
				const wish = /^\W*forget me\W*$/i.test(message);
				receive(replies, replies.some(({ forget, metadata: meta }) => forget || (wish && meta?.outcome !== 'error')));
			} catch (problem) {
				const wait = problem.headers?.get('Retry-After');
				fail(problem.status === 429 || wait ? say.busy(+wait) : say.away);
			}
			timers.forEach(clearTimeout);
			busy = false;
		}

		function receive(replies, forget) {
			// Not earlier: the server knew the person by the old id.
			if (forget) {
				state = fresh(state);
				log.replaceChildren();
			}
			state.at = forget ? 0 : Date.now();
			const texts = replies.map((reply) => show(reply, state.log.push(reply))).join('\n');
			(forget ? erase : save)();
			reveal(log.children[log.children.length - replies.length]);
			announce(texts, replies.some(isUrgent) ? alarm : polite);
			if (state.aloud) speak(texts);
		}

		const isUrgent = ({ metadata }) => /^(crisis|emergency)$/.test(metadata?.outcome);
		function tell(...content) {
			notice.replaceChildren(...content);
			if (root.activeElement) notice.scrollIntoView({ block: 'nearest' });
		}
		const fail = (text) => tell(text, button(say.retry, () => send()));

		// Emptied later, or those who read on would meet the text twice.
		function announce(text, region = polite) {
			region.textContent = text;
			setTimeout(() => { if (region.textContent === text) region.textContent = ''; }, 10000);
		}

		function reveal(node) {
			log.scrollTop = (node.previousSibling || node).offsetTop - 8;
			if (root.activeElement) log.scrollIntoView({ block: 'nearest' });
		}

		// A control that is gone hands the focus to what it led to.
		function refocus(held, next = log.lastChild) {
			if (held && !held.isConnected) next.focus();
		}

		const article = (className, title, ...content) =>
			h('article', { className, tabIndex: -1, 'aria-label': title }, h('h3', 0, title), content);

		function show(entry, count) {
			const { me, metadata, text, rated } = entry;
			if (me) {
				// Only the last answer keeps its buttons: fewer stops on the way.
				log.querySelectorAll('.now').forEach((node) => node.remove());
				log.append(article('me', say.you, h('p', 0, me)));
				log.scrollTop = log.scrollHeight;
				return;
			}
			const meta = metadata || {};
			const answer = String(meta.answer || text || '');
			const extras = [meta.comparison, meta.sources, entry.buttons].map(list);
			const [rows, sources, buttons] = extras;
			const disclaimer = meta.disclaimer || say.disclaimer;
			const note = [
				meta.reviewed && say.reviewed(new Date(`${meta.reviewed}T00:00`).toLocaleDateString(lang, { dateStyle: 'long' })),
				meta.checked === false && say.unchecked,
				!answer.includes(disclaimer) && disclaimer,
			].filter(Boolean).join('');
			const [kind, title, content] = isUrgent(entry) ? ['urgent', say.urgent, withPhoneLinks] : ['bot', say.bot, String];
			log.append(article(kind, title,
				answer.split('\n').map((part) => h('p', 0, content(part))),
				rows[0] && table(rows),
				sources[0] && [h('h4', 0, say.sources), h('ul', 0, sources.map(source))],
				h('p', { className: 'note' }, note),
				buttons[0] && h('div', { className: 'now row' }, buttons.map(({ title, payload }) => button(title, () => ask(title, payload)))),
				count && !rated && !unrated && kind === 'bot' && feedback(entry)));
			return [answer, ...extras.map((extra, i) => extra[0] && `${say.counts[i]}: ${extra.length}.`), note].filter(Boolean).join('\n');
		}

		// The roles keep it a table where CSS makes cards of the rows.
		function table(rows) {
			const columns = Object.keys(rows[0]).filter((name) => name !== 'aspect');
			const row = (...cells) => h('tr', { role: 'row' }, cells);
			const head = (text, scope, role) => h('th', { scope, role }, text);
			return h('table', { role: 'table' },
				h('caption', 0, say.table),
				h('thead', { role: 'rowgroup' }, row([say.aspect, ...columns].map((name) => head(name, 'col', 'columnheader')))),
				h('tbody', { role: 'rowgroup' }, rows.map((cells) => row(
					head(cells.aspect, 'row', 'rowheader'),
					columns.map((name) => h('td', { role: 'cell', 'data-name': name }, cells[name]))))));
		}

		function source({ title, publisher, url, year }) {
			const name = title || url;
			return h('li', 0,
				/^https?:\/\/\w/i.test(url) ? h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, name, h('span', { className: 'sr' }, say.tab)) : name,
				[publisher, year].map((part) => part && `, ${part}`));
		}

		function feedback(entry) {
			const { outcome, topic } = entry.metadata || {};
			const vote = id(); // sent again with its reason, it is still one vote
			const group = h('div', { className: 'now row', role: 'group', tabIndex: -1, 'aria-label': say.helpful }, say.helpful,
				button(say.yes, () => rate(true)), button(say.no, () => rate(false)));
			async function rate(helpful, reason) {
				const held = root.activeElement;
				const { status, ok } = await post('feedback', { vote, outcome, topic, helpful, reason }).catch(() => 0);
				if (ok) {
					entry.rated = true;
					save();
					announce(say.thanks);
					group.replaceChildren(say.thanks);
					if (reason == null) group.append(why(helpful));
				} else if (status === 404) {
					unrated = true;
					group.remove();
				} else announce(say.away);
				refocus(held, ok ? group : log.lastChild);
			}
			function why(helpful) {
				const reason = h('input', { id: 'why', maxLength: 500 });
				const onsubmit = (event) => { event.preventDefault(); rate(helpful, reason.value); };
				return h('form', { onsubmit }, h('label', { htmlFor: 'why' }, say.why), reason, h('button', 0, say.send));
			}
			return group;
		}

		const transcript = () => [
			say.title,
			...state.log.map(({ me, text, metadata }) => (me ? `${say.you}: ${me}` : `${say.bot}: ${text || metadata?.answer}`)),
			say.disclaimer,
		].join('\n\n');

		async function copy() {
			try {
				await navigator.clipboard.writeText(transcript());
				announce(say.copied);
			} catch {
				announce(say.uncopied);
			}
		}

		function print() {
			const frame = h('iframe', { className: 'sr', title: say.print, onload() {
				const { body } = frame.contentDocument;
				body.textContent = transcript();
				body.style.whiteSpace = 'pre-wrap';
				frame.contentWindow.onafterprint = () => frame.remove();
				frame.contentWindow.print();
			} });
			root.append(frame);
		}

		function download() {
			const href = URL.createObjectURL(new Blob([transcript()], { type: 'text/plain' }));
			h('a', { href, download: 'ms-als-answers.txt' }).click();
		}

		function leaveOptions(text) {
			unfold();
			box.focus();
			ask(text);
		}

		const Ear = window.SpeechRecognition || window.webkitSpeechRecognition;
		function listen() {
			if (ear) return ear.stop();
			ear = Object.assign(new Ear(), {
				lang,
				onresult({ results }) {
					box.value = `${box.value} ${results[0][0].transcript}`.trim().slice(0, LONGEST);
					announce(box.value);
					typed();
				},
				onerror: () => announce(say.unheard),
				onend() {
					ear = 0;
					mic.textContent = say.speak;
				},
			});
			ear.start();
			mic.textContent = say.listening;
		}

		function speak(text) {
			speechSynthesis.cancel();
			speechSynthesis.speak(Object.assign(new SpeechSynthesisUtterance(text), { lang }));
		}

		function toggle(name, change) {
			const apply = (on) => {
				node.setAttribute('aria-pressed', on);
				change(on);
			};
			const node = button(say[name], () => {
				apply(state[name] = !state[name]);
				save();
			});
			apply(!!state[name]);
			return node;
		}

		function typed() {
			const left = LONGEST - box.value.length;
			const few = left <= 200;
			hint.textContent = few ? say.left(left) : say.hint;
			clearTimeout(pause);
			pause = setTimeout(() => {
				if (few) announce(say.left(left));
				if (state.draft === box.value) return;
				state.draft = box.value;
				save();
			}, 700);
		}

		function submit(event) {
			event.preventDefault();
			const text = box.value.trim();
			box.focus();
			if (!text) return;
			if (!busy) state.draft = box.value = '';
			typed();
			ask(text);
		}

		function unfold(shown = false) {
			options.hidden = !shown;
			menu.setAttribute('aria-expanded', shown);
		}

		function escape(event) {
			if (event.key !== 'Escape' || event.isComposing) return;
			event.preventDefault();
			if (options.contains(root.activeElement)) {
				unfold();
				menu.focus();
			} else close();
		}

		const log = h('div', { className: 'log', role: 'log', tabIndex: 0, 'aria-live': 'off', 'aria-label': say.log });
		const notice = h('div', { role: 'status', className: 'row' });
		const polite = h('div', { role: 'status', className: 'sr' });
		const alarm = h('div', { role: 'alert', className: 'sr' });
		const hint = h('p', { id: 'hint', className: 'note' }, say.hint);
		const box = h('textarea', {
			id: 'box', maxLength: LONGEST, value: state.draft, 'aria-describedby': 'hint', oninput: typed,
			onkeydown(event) {
				if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) submit(event);
			},
		});
		const mic = button(say.speak, listen);
		mic.hidden = true;
		const menu = button(say.options, () => unfold(options.hidden), { 'aria-expanded': false });
		const options = h('div', { className: 'row', hidden: true },
			button(say.copy, copy),
			button(say.print, print),
			button(say.save, download),
			button(say.restart, () => leaveOptions('start over')),
			button(say.forget, () => confirm(say.sure) && leaveOptions('forget me')),
			window.speechSynthesis && toggle('aloud', (on) => on || speechSynthesis.cancel()),
			Ear && toggle('mic', (on) => { mic.hidden = !on; }),
			h('p', { className: 'note' }, say.voice));
		const launcher = button(say.launch, () => host.setAttribute('open', ''), { className: 'launcher', 'aria-haspopup': 'dialog' });
		const close = () => host.removeAttribute('open');
		const panel = h(inline ? 'div' : 'dialog', { className: 'panel', 'aria-labelledby': 'title', onkeydown: escape, oncancel: close },
			h('div', { className: 'row' }, h('h2', { id: 'title' }, say.title), menu, !inline && button(say.close, close)),
			options, log, notice,
			h('form', { onsubmit: submit }, h('label', { htmlFor: 'box' }, say.question), box,
				h('div', { className: 'row' }, h('button', { className: 'send' }, say.send), mic, hint)),
			h('p', { className: 'foot' }, say.disclaimer), polite, alarm);

		// A panel that covers the page makes it inert; a smaller one leaves it in reach.
		const narrow = matchMedia('(max-width: 40em), (max-height: 30em)');
		narrow.onchange = arrange;
		function arrange() {
			if (inline) return;
			const open = host.hasAttribute('open');
			const held = root.activeElement;
			if (panel.open) panel.close();
			if (open && narrow.matches) panel.showModal();
			else panel.open = open;
			launcher.hidden = open;
			if (!open) window.speechSynthesis?.cancel();
			reveal(log.lastChild);
			if (held) (!open ? launcher : held === launcher ? box : held).focus();
		}

		root.append(h('link', { rel: 'stylesheet', href: STYLE, onload: () => reveal(log.lastChild) }), h('section', { lang, 'aria-label': say.title }, !inline && launcher, panel));
		show({ text: say.welcome, buttons: say.starters.map((title) => ({ title })) });
		state.log.forEach((entry, i) => show(entry, i + 1));
		const waits = () => !busy && state.log.at(-1)?.me;
		if (waits()) fail(say.away);
		addEventListener('online', () => waits() && send());
		arrange();
		return arrange;
	}

	customElements.define('ms-als-chat', class extends HTMLElement {
		static observedAttributes = ['open'];
		connectedCallback() {
			this.arrange ??= chat(this);
		}
		attributeChangedCallback() {
			this.arrange?.();
		}
	});
})();
