// Voice, by the browser's own means. Loaded when first used.

const SAY = {
	speak: 'Speak',
	listening: 'Stop listening',
	unheard: 'Nothing was heard.',
};
const LANG = 'en';

let ear;

/** Puts what is heard into the field, to be looked at before it is sent. */
export function listen(chat) {
	if (ear) return ear.stop();
	const { box, mic } = chat;
	const name = (label) => {
		mic.ariaLabel = mic.title = label;
		mic.ariaPressed = String(label === SAY.listening);
	};
	ear = Object.assign(new (window.SpeechRecognition || window.webkitSpeechRecognition)(), {
		lang: LANG,
		onresult({ results }) {
			box.value = `${box.value} ${results[0][0].transcript}`.trim();
			chat.announce(box.value);
			chat.typed();
		},
		onerror: () => chat.announce(SAY.unheard),
		onend() {
			ear = null;
			name(SAY.speak);
		},
	});
	ear.start();
	name(SAY.listening);
}

export function speak(text) {
	speechSynthesis.cancel();
	speechSynthesis.speak(Object.assign(new SpeechSynthesisUtterance(text), { lang: LANG }));
}
