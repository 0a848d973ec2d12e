// Which drawing explains a reply (metadata.drawing may name one), and the drawing itself: drawings/*.svg hold picture,
// text alternative, caption and sources. Loaded with the first reply that may have one.

import EXPLAINS from './drawings/explains.js';

const SAY = { sources: 'Drawn after: ' };

/** What a drawing says once need not be said again soon. */
const SOON = 3;

export function drawingFor({ drawing, topic, question = `${topic}/overview`, conditions, terms }) {
	const [one, other] = Array.isArray(conditions) ? conditions : [];
	const asked = [question, ...(Array.isArray(terms) ? terms : []).map((term) => `${question}:${term}`)];
	const explains = ([, questions]) => questions.split(' ').some((name) => asked.includes(name));
	const name = drawing || Object.entries(EXPLAINS[other ? 'both' : one] || {}).find(explains)?.[0];
	return /^[a-z-]+$/.test(name) ? name : null;
}

export async function addDrawing(chat, text, meta, folder) {
	const name = drawingFor(meta);
	if (!name || shownLately(chat, text, name)) return;
	const figure = chat.kit.h('figure', { 'data-name': name });
	text.after(figure);
	try {
		const response = await fetch(new URL(`drawings/${name}.svg`, folder));
		if (!response.ok) throw response;
		fill(chat.kit.h, figure, await response.text());
	} catch {
		figure.remove(); // the words say it too
	}
}

function shownLately(chat, text, name) {
	const articles = [...chat.list.querySelectorAll('article:not(.me)')];
	const place = articles.indexOf(text.closest('article'));
	return articles.slice(Math.max(0, place - SOON), place).some((one) => one.querySelector(`figure[data-name="${name}"]`));
}

function fill(h, figure, source) {
	const svg = document.importNode(new DOMParser().parseFromString(source, 'image/svg+xml').documentElement, true);
	const take = (tag) => [...svg.querySelectorAll(tag)].map((node) => (node.remove(), node));
	const [{ textContent: title }] = take('title');
	const [{ textContent: text }] = take('desc');
	const [metadata] = take('metadata');
	const links = [...metadata.querySelectorAll('source')].map((one) => h('a', { href: one.getAttribute('url'), target: '_blank', rel: 'noopener noreferrer' }, one.getAttribute('publisher')));
	svg.setAttribute('role', 'img');
	svg.setAttribute('aria-label', `${title}. ${text.trim().replace(/\s+/g, ' ')}`);
	figure.append(svg, h('figcaption', 0, metadata.querySelector('caption').textContent, ' ', SAY.sources,
		links.flatMap((link, i) => (i ? [', ', link] : [link]))));
}
