// Put into each page that benchmarks/widgets.py measures, before anything else runs there. Looks into shadow roots too.
(() => {
	const roots = new Set([document]);
	const measured = (window.measured = { heard: 0, moves: new Set() });

	const hosts = () => [...roots].filter((root) => root === document || root.host.isConnected);
	const find = (css) => hosts().map((root) => root.querySelector(css)).find(Boolean);
	const isSeen = (node) => node?.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) && !node.disabled;
	const active = () => {
		let node = document.activeElement;
		while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
		return node;
	};

	/** Whether what is put into a node is read aloud: its nearest live region decides. */
	function isLive(node) {
		for (; node; node = node.parentNode ?? node.host) {
			const role = node.getAttribute?.('role');
			const live = node.getAttribute?.('aria-live') ?? (/^(log|status|alert)$/.test(role) || node.localName === 'output' ? 'polite' : '');
			if (live) return live !== 'off';
		}
		return false;
	}

	/** Counts how often the answer comes into a live region that was there before it. */
	function listen(root) {
		new MutationObserver((records) => {
			for (const { type, target, addedNodes } of records) {
				const added = type === 'characterData' ? [target] : [...addedNodes];
				if (added.some((node) => node.textContent?.includes(window.answerSays)) && isLive(target)) measured.heard += 1;
			}
		}).observe(root, { childList: true, subtree: true, characterData: true });
	}

	const attach = Element.prototype.attachShadow;
	Element.prototype.attachShadow = function (options) {
		const root = attach.call(this, options);
		roots.add(root);
		listen(root);
		return root;
	};
	listen(document);

	/** Opens the chat as soon as that is possible; resolves with the milliseconds until one can type. */
	measured.usable = ([launcher, field]) => new Promise((resolve, reject) => {
		const deadline = performance.now() + 60000;
		let pressed = !launcher;
		const look = () => {
			const button = pressed || isSeen(find(field)) ? null : find(launcher);
			if (isSeen(button)) {
				pressed = true;
				button.click();
			}
			if (isSeen(find(field))) resolve(performance.now());
			else if (performance.now() > deadline) reject(new Error('nobody could type'));
			else setTimeout(look, 4);
		};
		look();
	});

	/** Notes what moves from here on, by name of the animation or of the property. */
	measured.watch = () => {
		for (const root of hosts()) {
			for (const one of root.getAnimations()) {
				const { activeDuration } = one.effect.getComputedTiming();
				if (one.playState === 'running' && activeDuration > 10) measured.moves.add(one.animationName || one.transitionProperty || 'script');
			}
		}
		requestAnimationFrame(measured.watch);
	};

	measured.active = active;
	measured.holds = (css) => !!active()?.closest(css);

	/** All that can be read on the page. */
	measured.text = (root = document) => [...root.querySelectorAll('*')].map((node) => {
		if (node.shadowRoot) return measured.text(node.shadowRoot);
		if (/^(SCRIPT|STYLE)$/.test(node.tagName) || !node.checkVisibility()) return '';
		return [...node.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE).map(({ data }) => data).join(' ');
	}).join('\n');

	/** What axe finds, all its rules but the deprecated ones: each with its tags. */
	measured.violations = async () => {
		const values = axe.getRules().filter(({ tags }) => !tags.includes('deprecated')).map(({ ruleId }) => ruleId);
		const { violations } = await axe.run(document, { runOnly: { type: 'rule', values } });
		return violations.map(({ id, tags }) => [id, tags.join(' ')]);
	};

	/** The part of the screen, from 0 to 1, where the answer is what one sees. */
	measured.answerOnScreen = () => {
		let seen = 0;
		for (let i = 0; i < 400; i += 1) {
			const point = [((i % 20) + 0.5) * innerWidth / 20, (Math.floor(i / 20) + 0.5) * innerHeight / 20];
			let node = document.elementFromPoint(...point);
			for (let inner; (inner = node?.shadowRoot?.elementFromPoint(...point)) && inner !== node; ) node = inner;
			const box = node?.closest?.(window.answerBox);
			if (box?.textContent.includes(window.answerSays)) seen += 1;
		}
		return seen / 400;
	};

	measured.isTooWide = () => document.scrollingElement.scrollWidth > innerWidth;
})();
