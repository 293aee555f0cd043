"""What is measured of a page's look: how dark it is, whether its words can be read, whether it is wider than the screen.

The page itself is asked, by the styles that the browser computed; the numbers are those of the WCAG (relative luminance, contrast ratio).
"""

from __future__ import annotations

import time
from typing import Any

# colours come in any notation that CSS has: one pixel of a canvas says what each really is
_TOOLS = """
    const pen = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d', {willReadFrequently: true});
    const rgba = colour => {
        pen.clearRect(0, 0, 1, 1); pen.fillStyle = '#000'; pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat([1]);
    const ground = node => {
        const layers = [];
        for (let at = node; at; at = at.parentElement) {
            const style = getComputedStyle(at);
            if (style.backgroundImage !== 'none' && !style.backgroundImage.startsWith('linear-gradient(')) return null;
            layers.push(rgba(style.backgroundColor));
        }
        return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
    };
    const light = c => {
        const [r, g, b] = c.map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
"""
GROUND = "root => {" + _TOOLS + "return light(ground(document.querySelector(root))); }"
WORDS = (
    "([least, root]) => {"
    + _TOOLS
    + """
    const poor = [];
    const NO_TEXT = 'svg, canvas, style, script, [aria-hidden=true], :disabled, '
        + '[data-testid=stSliderThumbValue], [data-testid=stIconMaterial]';
    const walker = document.createTreeWalker(document.querySelector(root), NodeFilter.SHOW_TEXT);
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
        const node = text.parentElement, said = text.textContent.trim();
        if (!said || node.closest(NO_TEXT)) continue;
        const box = node.getBoundingClientRect(), style = getComputedStyle(node);
        if (!box.width || !box.height || style.visibility !== 'visible') continue;
        let seen = 1;
        for (let at = node; at; at = at.parentElement) seen *= Number(getComputedStyle(at).opacity);
        const below = ground(node);
        if (!below || seen < 0.05) continue;
        const ink = rgba(style.color);
        const [one, two] = [light(over([ink[0], ink[1], ink[2], ink[3] * seen], below)), light(below)];
        const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
        if (ratio < (node.closest('h1, h2, h3') ? 3 : least)) poor.push(`${ratio.toFixed(2)} ${said.slice(0, 60)}`);
    }
    return poor;
}"""
)
OVERFLOW = """() => {
    const wide = document.scrollingElement.scrollWidth - window.innerWidth;
    if (wide <= 1) return '';
    const out = [...document.querySelectorAll('*')].filter(n => n.getBoundingClientRect().right > window.innerWidth + 1);
    return `${wide} px too wide: ` + out.slice(-3).map(n => n.tagName + '.' + String(n.className).slice(0, 80)).join(', ');
}"""


def brightness(tab: Any, root: str = "[data-testid=stMainBlockContainer]") -> float:
    """The luminance of the ground of the page: 0 is black, 1 is white."""
    return float(tab.evaluate(GROUND, root))


def hard_to_read(tab: Any, least: float = 4.5, patience: float = 20.0, root: str = "[data-testid=stApp]") -> list[str]:
    """Words whose contrast with what lies under them is below `least`, each with its ratio; 3 is enough for headings.

    patience: seconds in which words may still come up: what a rerun has not reached yet stands pale for a while. root: where to look.
    """
    end = time.monotonic() + patience
    found: list[str] = tab.evaluate(WORDS, [least, root])
    while found and time.monotonic() < end:
        tab.wait_for_timeout(250)
        found = tab.evaluate(WORDS, [least, root])
    return found


def too_wide(tab: Any) -> str:
    """By how much the page is wider than its window, and what sticks out; "" where it is not."""
    return str(tab.evaluate(OVERFLOW))
