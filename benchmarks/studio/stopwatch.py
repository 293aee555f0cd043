"""A stopwatch inside the page: from the first touch of mouse or keyboard to the first frame that shows what was asked for.

Where it stands: under `acts`. What it does not know: what is asked for; it is given a sign, a JavaScript expression. It looks once a frame
(about 16 ms), so a time is right to one frame; nothing between Python and the browser is in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

# the script has run, nothing is left over from the page before, every chart is drawn
STILL = """(() => {
    const app = document.querySelector('[data-testid=stApp]');
    return app && app.dataset.testScriptState === 'notRunning' && !document.querySelector('[data-testid=stSkeleton], [data-stale=true]')
        && [...document.querySelectorAll('[data-testid=stPlotlyChart]')].every(chart => chart.querySelector('.main-svg'));
})()"""
_ARM = """() => {
    window.llmrecSeen = new Promise((resolve, reject) => {
        let began = null, first = null;
        const begin = () => { began ??= performance.now(); };
        for (const kind of TOUCH) window.addEventListener(kind, begin, {capture: true, once: true});
        const ended = performance.now() + LONGEST;
        const look = () => {
            const now = performance.now();
            if (began !== null && (SIGN)) {
                first ??= now;
                if (now > first) return resolve(first - began);  // seen in two frames one after the other
            } else first = null;
            now > ended ? reject(new Error('not seen: ' + SAID)) : requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
    });
    window.llmrecSeen.catch(() => null);
}"""


def seconds(tab: Any, act: Callable[[], Any], sign: str, longest: float = 60.0, touch: str = "") -> float:
    """Seconds from the first touch of `act` until `sign` holds. RuntimeError of the browser after `longest` seconds.

    sign: JavaScript that must not hold before the act; touch: the event to begin at, a press of mouse or keyboard unless told otherwise.
    """
    if tab.evaluate(f"() => !!({sign})"):
        raise RuntimeError(f"the sign holds before anything was done: {sign}")
    events = json.dumps([touch] if touch else ["pointerdown", "keydown"])
    text = (
        _ARM.replace("TOUCH", events).replace("LONGEST", str(1000 * longest)).replace("SAID", json.dumps(sign[:160])).replace("SIGN", sign)
    )
    tab.evaluate(text)
    act()
    return float(tab.evaluate("() => window.llmrecSeen")) / 1000


def still(tab: Any) -> None:
    """Wait until the page is at rest."""
    tab.wait_for_function(f"() => {STILL}")
    tab.wait_for_timeout(250)  # a rerun may begin a moment later
    tab.wait_for_function(f"() => {STILL}")
