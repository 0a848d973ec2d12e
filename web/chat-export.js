// Takes the conversation along: copied, printed, saved. Loaded when first used.

const SAY = {
	copied: 'Copied.',
	uncopied: 'Copying was not allowed.',
	print: 'Print',
	unprinted: 'Printing was not allowed.',
	title: 'MS & ALS Answers',
	you: 'You',
	bot: 'Assistant',
	disclaimer: 'General information, not medical advice. In an emergency call 112, 911 or 999.',
};

function transcript(chat) {
	const line = ({ me, text, metadata }) => (me ? `${SAY.you}: ${me}` : `${SAY.bot}: ${text || metadata?.answer}`);
	return [SAY.title, ...chat.memory.read().log.map(line), SAY.disclaimer].join('\n\n');
}

export async function copy(chat) {
	try {
		await navigator.clipboard.writeText(transcript(chat));
		chat.announce(SAY.copied);
	} catch {
		chat.announce(SAY.uncopied);
	}
}

export function save(chat) {
	const href = URL.createObjectURL(new Blob([transcript(chat)], { type: 'text/plain' }));
	chat.kit.h('a', { href, download: 'ms-als-answers.txt' }).click();
}

/** The conversation alone, with its tables, drawings and sources. Some frames may not print, and do not say so. */
export function print(chat) {
	const { h } = chat.kit;
	const frame = h('iframe', { className: 'sr', title: SAY.print, onload() {
		const { contentWindow: view, contentDocument: { body } } = frame;
		let begun = false;
		view.onbeforeprint = () => { begun = true; };
		view.onafterprint = () => frame.remove();
		body.append(h('h1', 0, SAY.title), ...[...chat.list.querySelectorAll('article')].map(onPaper), h('p', 0, SAY.disclaimer));
		dress(view);
		view.print();
		if (!begun) chat.announce(SAY.unprinted);
	} });
	chat.root.append(frame);
}

function onPaper(article) {
	const copy = article.cloneNode(true);
	copy.querySelectorAll('.now').forEach((part) => part.remove());
	copy.querySelectorAll('details').forEach((part) => { part.open = true; });
	copy.querySelectorAll('a > .sr').forEach((part) => part.remove());
	copy.querySelectorAll('a[href^=http]').forEach((link) => link.append(` (${link.href})`));
	const who = copy.querySelector('h3');
	who.textContent += ': ';
	return copy;
}

function dress(view) {
	try {
		const sheet = new view.CSSStyleSheet();
		sheet.replaceSync(CSS);
		view.document.adoptedStyleSheets = [sheet];
	} catch {} // plain paper does too
}

const CSS = `
	body { font: 12pt/1.5 sans-serif; overflow-wrap: anywhere; }
	article { margin: 1em 0; padding-top: 1em; border-top: 1pt solid #999; }
	h3 { margin: 0; font-size: 1em; }
	p, figure, ul { margin: .4em 0; }
	table { width: 100%; border-collapse: collapse; }
	caption { font-weight: bold; text-align: start; }
	th, td { padding: .3em; border: 1pt solid #999; text-align: start; vertical-align: top; }
	summary { list-style: none; font-weight: bold; }
	.note, li, figcaption { font-size: .85em; }
	svg { width: 14cm; height: auto; }
`;
