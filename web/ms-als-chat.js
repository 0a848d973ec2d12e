// <ms-als-chat>, see docs/widget.md. Nothing said is ever HTML. This file is enough to talk.
(() => {
	const LONGEST = 2000; // as the server has it
	const MOST_KEPT = 100; // entries
	const MOST_STORED = 3e5; // characters
	const BUTTONS_LAST = 8e7; // the server knows them for a day
	const RTL = /^(ar|ckb|dv|fa|he|ps|sd|ug|ur|yi)\b/;
	const FILE = [document.currentScript, ...document.scripts].find((script) => /\/ms-als-chat\.js/.test(script?.src))?.src;

	const SAY = {
		title: 'MS & ALS Answers',
		what: 'Facts, with sources',
		launch: 'Ask about MS or ALS',
		unread: (n) => `${n} new answer${n > 1 ? 's' : ''}`,
		close: 'Close',
		log: 'Conversation',
		you: 'You',
		bot: 'Assistant',
		urgent: 'Get help now',
		hello: 'Hello. How can I help?',
		welcome: 'Ask about multiple sclerosis (MS), ALS (also called MND) or both. Your own words are fine.',
		emergency: 'Emergency? Call 112 · 911 · 999',
		disclaimer: 'General information, not medical advice.',
		foot: 'Not medical advice. Emergency: 112, 911, 999.',
		question: 'Your question',
		hint: 'Enter sends. Shift+Enter starts a new line.',
		left: (n) => `${n} characters left`,
		over: (all, n) => `${all} characters are ${n} too many. Nothing was cut or sent.`,
		send: 'Send',
		waiting: 'Looking for an answer…',
		slow: 'This takes longer than usual. Nothing you wrote is lost.',
		away: 'The assistant did not answer. Nothing you wrote is lost.',
		offline: (n) => `You are offline. ${n > 1 ? `${n} questions are kept and sent in order` : 'Your question is kept and sent'} when you are back.`,
		busy: (s) => `The assistant is busy. Nothing you wrote is lost. Please try again in ${s > 90 ? `${Math.ceil(s / 60)} minutes` : s ? `${Math.max(s, 2)} seconds` : 'a little while'}.`,
		retry: 'Try again',
		cut: 'Older messages are no longer kept here.',
		today: 'Today',
		counts: { rows: 'Table rows', sources: 'Sources', buttons: 'Suggested questions' },
		options: 'Options',
		speak: 'Speak',
		missing: 'This part could not be loaded. Please try again later.',
	};

	const ICONS = {
		chat: 'M4 5h16v11H10l-5 4v-4H4z',
		send: 'M12 19V6M6 11l6-6 6 6',
		close: 'M6 6l12 12M18 6L6 18',
		more: 'M5 12h.1M12 12h.1M19 12h.1',
		mic: 'M12 4v8M8 11a4 4 0 0 0 8 0M12 16v4',
		nerve: 'M2 12h3M10 12h4M19 12h3M5 9h5v6H5zM14 9h5v6h-5z',
	};

	// Elements

	function h(tag, props, ...children) {
		const node = document.createElement(tag);
		for (const [key, value] of Object.entries(props)) {
			if (value == null) continue;
			if (key in node) node[key] = value;
			else node.setAttribute(key, value);
		}
		node.append(...children.flat(3).filter(Boolean));
		return node;
	}

	function icon(path) {
		const [svg, line] = ['svg', 'path'].map((tag) => document.createElementNS('http://www.w3.org/2000/svg', tag));
		svg.setAttribute('viewBox', '0 0 24 24');
		svg.setAttribute('aria-hidden', true);
		line.setAttribute('d', path);
		svg.append(line);
		return svg;
	}

	const button = (label, onclick, props) => h('button', { type: 'button', onclick, ...props }, label);
	const round = (name, label, onclick, props) => button(icon(ICONS[name]), onclick, { className: 'round', 'aria-label': label, title: label, ...props });
	const list = (value) => (Array.isArray(value) ? value.filter(Boolean) : []);

	const id = () => crypto.randomUUID?.() ?? crypto.getRandomValues(new Uint32Array(4)).join('-');

	// 911, 116 123; not years, 10,000 or "24 hours".
	function withPhoneLinks(text) {
		const parts = [];
		let end = 0;
		for (const { 0: found, index } of text.matchAll(/\+?(?:\d+|\(\d+\))(?:[ ,.-](?!24\b)(?:\d+|\(\d+\)))*\b/g)) {
			const digits = found.replace(/[^+\d]/g, '');
			if (!/^(\d{3}|(?!19|20)\d{4})$/.test(found) && (found.includes(',') || !/\d{5}/.test(digits))) continue;
			const scheme = /(?<!or )text (\S+ to )?$/i.test(text.slice(0, index)) ? 'sms:' : 'tel:';
			parts.push(text.slice(end, index), h('a', { href: scheme + digits, className: 'call' }, found));
			end = index + found.length;
		}
		return [...parts, text.slice(end)];
	}

	const paragraphs = (text, content = String) => String(text || '').split('\n').map((line) => h('p', 0, content(line)));
	const isUrgent = ({ metadata }) => /^(crisis|emergency)$/.test(metadata?.outcome);

	/** What a reply says, whatever a server left out of it. */
	function partsOf({ text, buttons, metadata }) {
		const meta = metadata || {};
		const answer = String(meta.answer || text || '');
		const own = String(meta.disclaimer || SAY.disclaimer);
		return {
			answer,
			disclaimer: answer.includes(own) ? '' : own,
			language: meta.language,
			rows: list(meta.comparison),
			sources: list(meta.sources),
			buttons: list(buttons),
		};
	}

	function spoken(entry) {
		const { answer, disclaimer, ...more } = partsOf(entry);
		const counts = Object.entries(SAY.counts).map(([name, label]) => more[name][0] && `${label}: ${more[name].length}.`);
		return [answer, ...counts, disclaimer].filter(Boolean).join('\n');
	}

	/** Shared by all tabs: each change begins with what is stored now. */
	class Memory {
		constructor(server) {
			this.key = `ms-als-chat ${server}`;
			this.forget();
		}

		forget() {
			this.state = { sender: id(), log: [], draft: '', at: 0 };
			this.stored = false;
		}

		read() {
			if (this.full) return this.state;
			let kept;
			try {
				kept = localStorage.getItem(this.key);
				kept = JSON.parse(kept);
			} catch {}
			if (kept?.sender) {
				this.state = { ...kept, log: list(kept.log).slice(-MOST_KEPT).map((entry, i) => ({ id: `${i}`, ...entry })) };
				this.stored = true;
			} else if (this.stored) this.forget(); // what another tab erased stays erased
			return this.state;
		}

		change(how) {
			const state = this.read();
			how(state);
			let text;
			while ((text = JSON.stringify(state)).length > MOST_STORED || state.log.length > MOST_KEPT) {
				if (state.log.length < 2) break;
				state.log.shift();
				state.cut = true;
			}
			try {
				if (this.full) return;
				localStorage.setItem(this.key, text);
				this.stored = true;
			} catch {
				this.full = true;
			}
		}

		erase() {
			this.forget();
			try {
				localStorage.removeItem(this.key);
			} catch {}
		}
	}

	class Chat {
		constructor(host) {
			this.host = host;
			this.inline = host.hasAttribute('inline');
			this.memory = new Memory(this.server);
			this.root = host.attachShadow({ mode: 'open' });
			this.nodes = new Map();
			this.failed = new Set(); // questions the server could not answer
			this.farewell = []; // that all was erased: shown, not stored
			this.unread = 0;
			this.styles = new Set();
			this.kit = { h, icon, button, id, partsOf, isUrgent, withPhoneLinks };
			this.style(CSS);
			this.build();
		}

		get server() {
			return (this.host.getAttribute('server') || '').replace(/\/+$/, '');
		}

		get isOpen() {
			return this.inline || this.host.hasAttribute('open');
		}

		get held() {
			return this.root.activeElement;
		}

		/** Loads a part from beside this file, or where the server has it. */
		async extra(name, use, missing = () => this.announce(SAY.missing)) {
			const folder = new URL(FILE ? '.' : `${this.server}/chat/`, FILE || document.baseURI);
			const part = await import(new URL(`chat-${name}.js`, folder)).catch(missing);
			if (part) use(part, folder);
		}

		// The server

		post(path, body) {
			return fetch(`${this.server}/${path}`, {
				method: 'POST',
				headers: { 'Content-Type': 'application/json' },
				body: JSON.stringify(body),
				signal: AbortSignal.timeout?.(60000),
			});
		}

		ask(me, message = me) {
			const held = this.held;
			const question = { id: id(), at: Date.now(), me, message, todo: true };
			this.memory.change((state) => state.log.push(question));
			this.render();
			this.reveal();
			if (held && !this.held) this.list.lastChild.focus();
			this.send();
		}

		get queue() {
			return this.memory.read().log.filter((entry) => entry.todo && !this.failed.has(entry.id));
		}

		retry() {
			this.failed.clear();
			this.tell();
			this.send();
		}

		/** In order, one tab at a time. */
		async send() {
			if (this.sending || !this.queue.length) return;
			this.sending = true;
			const all = async () => {
				for (let question; (question = this.queue[0]); ) if (!(await this.answered(question))) break;
				this.sending = false;
			};
			await (navigator.locks?.request(this.memory.key, all).catch(all) ?? all());
		}

		/** Whether the next may be sent. */
		async answered({ id: asked, me, message }) {
			const { sender, at } = this.memory.read();
			const known = Date.now() - (at || this.farewell[0]?.at) < BUTTONS_LAST;
			const timers = [[400, SAY.waiting], [8000, SAY.slow]].map(([ms, text]) => setTimeout(() => this.tell('dots', text), ms));
			this.hush();
			let problem;
			try {
				const body = { sender, message: known ? message : me, metadata: { message_id: asked } };
				const response = await this.post('webhooks/rest/webhook', body);
				const replies = response.ok ? list(await response.json()) : [];
				if (replies.length) this.receive(asked, message, sender, replies);
				else problem = response;
			} catch (error) {
				problem = error;
			}
			timers.forEach(clearTimeout);
			if (!problem) {
				this.tell();
				return true;
			}
			const wait = problem.headers?.get('Retry-After');
			const busy = problem.status === 429 || wait;
			if (problem.headers && !busy) this.failed.add(asked);
			const text = busy ? SAY.busy(+wait) : navigator.onLine ? SAY.away : SAY.offline(this.queue.length);
			this.tell('', text, button(SAY.retry, () => {
				this.retry();
				this.nodes.get(asked)?.focus();
			}));
			return this.failed.has(asked) && this.queue.length;
		}

		receive(asked, message, sender, replies) {
			const wish = /^\W*forget me\W*$/i.test(message);
			const forget = replies.some(({ forget: told, metadata: meta }) => told || meta?.forget || (wish && meta?.outcome !== 'error'));
			const entries = replies.map((reply, i) => ({ ...reply, id: `${asked} ${i}`, at: Date.now() }));
			if (forget) {
				const waiting = this.queue.filter((entry) => entry.id !== asked);
				this.memory.erase();
				this.farewell = entries;
				if (waiting[0]) this.memory.change(({ log }) => log.push(...waiting));
			} else {
				if (this.memory.read().sender !== sender) return this.render(); // erased in another tab
				this.memory.change((state) => {
					const place = state.log.findIndex((entry) => entry.id === asked);
					delete state.log[place]?.todo;
					state.log.splice(place + 1 || state.log.length, 0, ...entries);
					state.at = Date.now();
				});
			}
			this.render();
			this.reveal();
			const texts = entries.map(spoken).join('\n');
			this.announce(texts, entries.some(isUrgent) ? this.alarm : this.polite);
			if (!this.isOpen) this.count(this.unread + 1);
			if (this.memory.state.aloud) this.extra('voice', ({ speak }) => speak(texts));
		}

		// What is said beside the conversation

		tell(className = '', ...content) {
			this.notice.className = `notice ${className}`;
			this.notice.replaceChildren(...content);
			if (this.held && content.length) this.notice.scrollIntoView({ block: 'nearest' });
		}

		hush() {
			this.tell();
			this.polite.textContent = this.alarm.textContent = '';
		}

		/** Emptied later: who reads on would meet it twice. */
		announce(text, region = this.polite) {
			region.textContent = text;
			setTimeout(() => { if (region.textContent === text) region.textContent = ''; }, 10000);
		}

		count(unread) {
			this.unread = unread;
			this.badge.textContent = unread ? SAY.unread(unread) : '';
		}

		// The conversation on screen

		render() {
			if (!this.isOpen) return;
			const { log, cut } = this.memory.read();
			const entries = [...this.farewell, ...log];
			const before = this.nodes;
			this.nodes = new Map();
			const place = (key, make) => this.nodes.set(key, before.get(key) || make());
			const today = new Date().toDateString();
			let last = today;
			this.mic.hidden = !this.memory.state.mic;
			if (!entries.length) place('first', () => this.firstScreen());
			if (cut) place('cut', () => h('p', { className: 'day' }, SAY.cut));
			for (const entry of entries) {
				const date = new Date(entry.at || NaN);
				if (!isNaN(date) && date.toDateString() !== last) {
					last = date.toDateString();
					const name = last === today ? SAY.today : date.toLocaleDateString('en', { weekday: 'long', month: 'long', day: 'numeric' });
					place(last, () => h('p', { className: 'day' }, name));
				}
				place(entry.id, () => (entry.me ? this.question(entry) : this.reply(entry)));
				this.nodes.get(entry.id).classList.toggle('todo', !!entry.todo);
			}
			const nodes = [...this.nodes.values()];
			[...this.list.children].forEach((node) => nodes.includes(node) || node.remove());
			nodes.forEach((node, i) => this.list.children[i] === node || this.list.insertBefore(node, this.list.children[i]));
			// Only the last answer keeps its buttons.
			nodes.slice(0, -1).forEach((node) => node.querySelectorAll('.now').forEach((part) => part.remove()));
		}

		reveal() {
			const asked = [...this.list.querySelectorAll('.me')].pop();
			const first = asked?.offsetHeight > this.body.clientHeight / 4 ? asked.nextSibling || asked : asked;
			for (const box of [this.log, this.body]) box.scrollTop = first ? box.scrollTop + first.getBoundingClientRect().top - box.getBoundingClientRect().top - 12 : 0;
			this.moved = false;
			if (this.inline && this.held) this.host.scrollIntoView({ block: 'nearest' });
		}

		/** If the parts do not come, a reply is shown as its whole text. */
		complete(part, node, entry, text) {
			this.extra('parts', (parts) => parts[part](this, node, entry), () => text && text.replaceChildren(...paragraphs(entry.text)));
			return node;
		}

		firstScreen() {
			return this.complete('addTiles', h('div', { className: 'first' },
				h('h3', 0, SAY.hello),
				h('p', 0, SAY.welcome),
				h('p', { className: 'sos' }, withPhoneLinks(SAY.emergency))));
		}

		article(className, title, ...content) {
			return h('article', { className, tabIndex: -1, 'aria-label': title }, h('h3', { className: className === 'urgent' ? '' : 'sr' }, title), content);
		}

		question({ me }) {
			return this.article('me', SAY.you, h('p', { dir: 'auto' }, String(me)));
		}

		reply(entry) {
			const urgent = isUrgent(entry);
			const { answer, disclaimer, language, buttons } = partsOf(entry);
			const text = h('div', { className: 'text', lang: language, dir: language && (RTL.test(language) ? 'rtl' : 'ltr') },
				paragraphs(answer, urgent ? withPhoneLinks : String));
			return this.complete('addTo', this.article(urgent ? 'urgent' : 'bot', urgent ? SAY.urgent : SAY.bot,
				text,
				disclaimer && h('p', { className: 'note' }, disclaimer),
				buttons[0] && h('div', { className: 'now chips' }, buttons.map(({ title, payload }) => button(title, () => this.ask(title, payload))))), entry, !urgent && text);
		}

		// The field

		typed() {
			const { box, hint } = this;
			const left = LONGEST - box.value.length;
			const text = left < 0 ? SAY.over(box.value.length, -left) : left <= 200 ? SAY.left(left) : '';
			hint.textContent = text || SAY.hint;
			hint.classList.toggle('counts', !!text);
			box.setAttribute('aria-invalid', left < 0);
			box.style.height = '';
			if (box.scrollHeight > box.clientHeight) box.style.height = `${box.scrollHeight}px`;
			clearTimeout(this.pause);
			this.pause = setTimeout(() => {
				if (text) this.announce(text);
				if (this.memory.read().draft !== box.value) this.memory.change((state) => { state.draft = box.value; });
			}, 700);
		}

		submit(event) {
			event.preventDefault();
			const { box } = this;
			const text = box.value.trim();
			box.focus();
			if (!text) return;
			if (text.length > LONGEST) return this.announce(this.hint.textContent);
			box.value = '';
			this.memory.change((state) => { state.draft = ''; });
			this.typed();
			this.ask(this.meant?.(text) || text);
		}

		async unfold(shown = false) {
			if (shown && !this.options.firstChild) await this.extra('options', ({ fill }) => fill(this));
			this.options.hidden = !shown || !this.options.firstChild;
			this.menu.setAttribute('aria-expanded', !this.options.hidden);
		}

		// The panel

		build() {
			const { inline } = this;
			const close = () => this.host.removeAttribute('open');
			this.polite = h('div', { role: 'status', className: 'sr' });
			this.alarm = h('div', { role: 'alert', className: 'sr' });
			this.list = h('div', { className: 'list' });
			this.notice = h('div', { role: 'status', className: 'notice' });
			this.log = h('div', { className: 'log', role: 'log', tabIndex: 0, 'aria-live': 'off', 'aria-label': SAY.log }, this.list, this.notice);
			this.hint = h('p', { id: 'hint', className: 'hint' }, SAY.hint);
			this.box = h('textarea', {
				id: 'box', rows: 1, placeholder: SAY.question, dir: 'auto', value: this.memory.read().draft, 'aria-describedby': 'hint',
				oninput: () => this.typed(),
				onkeydown: (event) => {
					// 229: an input method composes.
					if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && event.keyCode !== 229) this.submit(event);
				},
			});
			this.mic = round('mic', SAY.speak, () => this.extra('voice', ({ listen }) => listen(this)), { hidden: true });
			this.menu = round('more', SAY.options, () => this.unfold(this.options.hidden), { 'aria-expanded': false });
			this.options = h('div', { className: 'options', hidden: true });
			this.badge = h('span', { className: 'badge' });
			this.launcher = button([icon(ICONS.chat), h('span', 0, SAY.launch), this.badge], () => this.host.setAttribute('open', ''),
				{ className: 'launcher', 'aria-haspopup': 'dialog', popover: 'manual' });
			this.body = h('div', { className: 'body' },
				h('header', 0, h('span', { className: 'mark' }, icon(ICONS.nerve)), h('div', 0, h('h2', { id: 'title' }, SAY.title), h('p', 0, SAY.what)),
					this.menu, !inline && round('close', SAY.close, close)),
				this.options, this.log,
				h('form', { onsubmit: (event) => this.submit(event) },
					h('label', { htmlFor: 'box', className: 'sr' }, SAY.question),
					h('div', { className: 'field' }, this.box, this.mic, round('send', SAY.send, null, { type: 'submit', className: 'round send' })),
					this.hint,
					h('p', { className: 'foot' }, SAY.foot)));
			this.panel = h(inline ? 'div' : 'dialog', {
				className: 'panel', 'aria-labelledby': 'title', popover: inline ? null : 'manual', oncancel: close,
				onkeydown: (event) => this.escape(event, close),
			}, this.body);
			this.shell = h('section', { lang: 'en', dir: 'ltr', className: 'shell', 'aria-label': SAY.title }, !inline && this.launcher, this.panel, this.polite, this.alarm);
			this.root.append(this.shell);
			this.narrow = matchMedia('(max-width: 40em), (max-height: 30em)');
		}

		// No policy forbids a constructed sheet.
		style(css) {
			if (this.styles.has(css)) return;
			this.styles.add(css);
			try {
				const sheet = new CSSStyleSheet();
				sheet.replaceSync(css);
				this.root.adoptedStyleSheets = [...this.root.adoptedStyleSheets, sheet];
			} catch {
				this.root.prepend(h('style', 0, css));
			}
		}

		escape(event, close) {
			if (event.key !== 'Escape' || event.isComposing) return;
			event.preventDefault();
			if (this.options.contains(this.held)) {
				this.unfold();
				this.menu.focus();
			} else if (!this.inline) close();
		}

		/** To the top layer, where no parent can clip or cover it. */
		lift(node, up) {
			if (up !== node.matches(':popover-open')) node[up ? 'showPopover' : 'hidePopover']();
		}

		/** A panel that covers the page makes it inert. */
		arrange() {
			if (this.onPaper) return; // paper has a width of its own
			const { panel, launcher, isOpen } = this;
			if (!this.inline) {
				const held = this.held;
				const full = isOpen && this.narrow.matches;
				if (panel.open && !(full && panel.matches(':modal'))) panel.close();
				if (panel.showPopover) {
					this.lift(panel, isOpen && !full);
					this.lift(launcher, !isOpen);
				} else {
					panel.open = isOpen && !full;
					launcher.hidden = isOpen;
				}
				if (full && !panel.open) panel.showModal();
				// Scripts that open it take no focus.
				if (held) (!isOpen ? launcher : held === launcher ? this.box : held).focus();
				else this.held?.blur();
				if (!isOpen) window.speechSynthesis?.cancel();
				if (full || this.phone) this.extra('phone', ({ settle }) => settle(this, full), () => {});
				// Outside a modal dialog nothing is heard, nor inside one that is shut.
				(isOpen ? panel : this.shell).append(this.polite, this.alarm);
			}
			if (!isOpen) return;
			this.count(0);
			this.render();
			this.typed();
			this.reveal();
			this.send();
		}

		connect() {
			this.gone = new AbortController();
			const on = (target, name, use) => target.addEventListener(name, use, { signal: this.gone.signal });
			on(window, 'online', () => this.retry());
			on(window, 'storage', ({ key, newValue }) => {
				if (key && key !== this.memory.key) return;
				if (!newValue) {
					this.memory.forget();
					this.farewell = [];
					this.hush();
				}
				this.render();
			});
			on(this.narrow, 'change', () => this.arrange());
			this.arrange();
		}

		disconnect() {
			this.gone.abort();
		}

		changed(name) {
			if (name === 'server') this.memory = new Memory(this.server);
			if (this.host.isConnected) this.arrange();
		}
	}

	const CSS = `
		:host { display: contents; opacity: 1 !important; filter: none !important; transform: none !important; }
		:host([inline]) { display: block; height: 85vh; min-height: min(100vh, 34em); }
		:host([inline]) .shell { height: 100%; }
		:host([hidden]) { display: none; }
		/* Inherits nothing from the site. */
		.shell {
			all: initial;
			--accent: var(--ms-als-accent, #0b5a73);
			--on: var(--ms-als-on-accent, #fff);
			--round: var(--ms-als-radius, 16px);
			--edge: var(--ms-als-corner, 20px);
			--bg: #f3f7f9;
			--card: #fff;
			--ink: #17232b;
			--soft: #44545e;
			--line: #cdd8de;
			--rim: #6b7c87;
			--tint: #dcecf2;
			--alarm: #a80f1e;
			--shade: 0 8px 40px #0b1e2838;
			--small: .875em;
			color-scheme: light;
			display: block;
			color: var(--ink);
			font: max(1rem, 16px)/1.5 var(--ms-als-font, system-ui, sans-serif);
			overflow-wrap: anywhere;
		}
		@media (prefers-color-scheme: dark) {
			.shell {
				--accent: var(--ms-als-accent, #8fd0e6);
				--on: var(--ms-als-on-accent, #06222d);
				--bg: #10171c;
				--card: #1b252c;
				--ink: #e9eff2;
				--soft: #b1bfc7;
				--line: #34444e;
				--rim: #8799a4;
				--tint: #23404d;
				--alarm: #ffb4ab;
				--shade: 0 8px 40px #000a;
				color-scheme: dark;
			}
		}
		* { box-sizing: border-box; margin: 0; }
		[hidden] { display: none !important; }
		svg { flex: none; width: 1.5em; height: 1.5em; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
		h2, h3, caption { font-size: 1em; font-weight: 650; text-align: start; }
		a { color: var(--accent); }
		button, input, textarea, .call {
			min-width: 44px;
			min-height: max(2.75em, 44px);
			padding: .5em .9em;
			border: 1px solid var(--rim);
			border-radius: var(--round);
			background: var(--card);
			color: var(--accent);
			font: inherit;
			text-align: start;
		}
		button { cursor: pointer; }
		button:hover { background: var(--tint); }
		/* Two colours: one stands out on any background. */
		:focus-visible { outline: 3px solid #fff; box-shadow: 0 0 0 6px #000; }
		.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
		.launcher, .send, .strong { border-color: transparent; background: var(--accent) !important; color: var(--on); }
		.launcher, dialog.panel { position: fixed; z-index: 9999; inset: auto var(--edge) var(--edge) auto; box-shadow: var(--shade); }
		.launcher { display: flex; gap: .6em; align-items: center; padding: .8em 1.3em; border-radius: 2em; font-weight: 600; }
		.launcher:not(:popover-open) { display: none; }
		.badge:not(:empty) { padding: 0 .6em; border-radius: 1em; background: var(--on); color: var(--accent); font-size: var(--small); }
		.panel { width: 100%; height: 100%; padding: 0; border: 1px solid var(--line); background: var(--bg); color: inherit; overflow: hidden; container: panel / size; }
		dialog.panel { width: min(26.5em, 100vw - 2 * var(--edge)); height: min(44em, 100vh - 2 * var(--edge)); max-width: none; max-height: none; border-radius: var(--round); }
		dialog.panel:modal { inset: 0; width: 100%; height: 100vh; height: 100dvh; border: 0; border-radius: 0; }
		.body { display: flex; flex-direction: column; height: 100%; }
		header { display: flex; gap: .3em; align-items: center; padding: .5em .5em .5em 1em; border-bottom: 1px solid var(--line); background: var(--card); }
		header div { flex: 1; line-height: 1.3; }
		header p, .hint, .foot, .note, summary, .day { color: var(--soft); font-size: var(--small); }
		.mark { display: grid; place-items: center; width: 2.4em; height: 2.4em; margin-inline-end: .4em; border-radius: 50%; background: var(--tint); color: var(--accent); }
		.round { display: grid; place-items: center; padding: 0; border-color: transparent; border-radius: 50%; background: none; }
		.round svg { stroke-width: 2.5; }
		.log { position: relative; flex: 1; padding: 12px; overflow: auto; overscroll-behavior: contain; container-type: inline-size; }
		.list, .notice { max-width: 44em; margin: auto; }
		.list > * { margin-bottom: 12px; }
		article { padding: .8em 1em; border: 1px solid var(--line); border-radius: 4px var(--round) var(--round); background: var(--card); }
		article > :not(.sr) ~ * { margin-top: .8em; }
		.text > * + * { margin-top: .5em; }
		p { white-space: pre-line; }
		.list .me { width: fit-content; max-width: 85%; margin-inline-start: auto; border-color: transparent; border-radius: var(--round) 4px var(--round) var(--round); background: var(--tint); }
		.todo { border: 1px dashed var(--rim) !important; }
		.urgent { border-left: 4px solid var(--alarm); }
		.urgent h3 { color: var(--alarm); font-size: 1.25em; }
		.call { display: inline-grid; place-items: center; margin: 2px; padding: 0 .6em; font-weight: 600; white-space: nowrap; }
		.chips { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
		.chips button { border-radius: 2em; }
		.notice { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
		.notice:empty { display: none; }
		form { display: grid; gap: 6px; padding: 8px 12px max(8px, env(safe-area-inset-bottom)); border-top: 1px solid var(--line); background: var(--card); }
		.field { display: flex; align-items: end; padding: 3px; border: 1px solid var(--rim); border-radius: 1.7em; }
		.field:focus-within { border-color: var(--accent); box-shadow: 0 0 0 2px var(--accent); }
		textarea { flex: 1; max-height: 8.5em; padding: .6em .9em; border: 0; background: none; color: var(--ink); resize: none; outline: 0 !important; box-shadow: none !important; }
		::placeholder { color: var(--soft); opacity: 1; }
		.hint:not(.counts) { display: none; }
		.counts { color: var(--alarm); }
		.foot { font-size: .8125em; line-height: 1.3; text-align: center; }
		/* All scrolls but the field. */
		@container panel (max-height: 26em) {
			.body { overflow: auto; scroll-padding: 12px 0 8em; }
			.log { flex: 1 0 auto; overflow: visible; }
			header p { display: none; }
			form { position: sticky; bottom: 0; padding-block: 4px; }
			.foot { font-size: .75em; }
			textarea { max-height: 4em; }
		}
		@media print { .launcher { display: none !important; } }
	`;

	customElements.get('ms-als-chat') || customElements.define('ms-als-chat', class extends HTMLElement {
		static observedAttributes = ['open', 'server'];
		connectedCallback() {
			this.chat ??= new Chat(this);
			this.chat.connect();
		}
		disconnectedCallback() {
			this.chat.disconnect();
		}
		attributeChangedCallback(name) {
			this.chat?.changed(name);
		}
	});
})();
