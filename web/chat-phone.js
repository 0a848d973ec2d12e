// The panel that fills a phone's screen: Back closes it, and a keyboard on screen leaves the last answer in sight.
// Loaded when the chat first fills a screen.

/** Of our entry in the history of the browser. */
const MARK = 'ms-als-chat';

export function settle(chat, full) {
	if (!chat.phone) listen(chat);
	chat.phone = true;
	remember(chat, full);
	fit(chat);
}

function listen(chat) {
	window.addEventListener('popstate', () => {
		if (chat.panel.matches(':modal') && !history.state?.[MARK]) chat.host.removeAttribute('open');
	});
	for (const name of ['resize', 'scroll']) window.visualViewport?.addEventListener(name, () => fit(chat));
}

/** An entry of ours while it is open; a frame may be denied it. */
function remember(chat, full) {
	try {
		const ours = history.state?.[MARK];
		if (full && !ours) history.pushState({ ...history.state, [MARK]: true }, '');
		else if (!chat.isOpen && ours) history.back();
	} catch {}
}

/** A keyboard makes the part that is seen smaller. So does zooming in, which is left alone. */
function fit(chat) {
	const seen = window.visualViewport;
	const full = seen && chat.panel.matches(':modal') && seen.scale < 1.01;
	const [height, top] = full ? [`${seen.height}px`, `${seen.offsetTop}px`] : ['', ''];
	if (chat.panel.style.height === height && chat.panel.style.top === top) return;
	Object.assign(chat.panel.style, { height, top });
	if (full) chat.reveal();
}
