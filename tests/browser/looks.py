"""Questions about a page, asked inside the browser.

tab.run(CONTRAST)   # texts that are too pale, as lines
"""

from __future__ import annotations

OVERFLOW = "Math.max(document.scrollingElement.scrollWidth, document.body.scrollWidth) - innerWidth"

WIDE = """[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5)
    .map(e => e.tagName + '.' + e.className)"""

IMAGES = "[...document.images].map(image => ({source: image.src, text: image.alt, width: image.naturalWidth}))"

NAMELESS = """[...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a[href], summary')].filter(e => {
    const label = e.labels && e.labels.length ? e.labels[0].textContent : '';
    return !(label || e.getAttribute('aria-label') || e.textContent || e.title || '').trim();
}).map(e => e.outerHTML.slice(0, 120))"""

# Contrast of each text by WCAG 2.2, 1.4.3: relative luminance over the blended backgrounds behind it; 4.5, or 3 for large text.
CONTRAST = """(() => {
    const parse = text => { const n = (text.match(/[\\d.]+/g) || []).map(Number);
        const full = text.startsWith('color(srgb') ? 255 : 1;  // what color-mix gives is told from 0 to 1
        return n.length < 3 ? null : [n[0] * full, n[1] * full, n[2] * full, n[3] ?? 1] };
    const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
    const light = c => { const [r, g, b] = c.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b };
    const scheme = getComputedStyle(document.documentElement).colorScheme;
    const dark = matchMedia('(prefers-color-scheme: dark)').matches && scheme.includes('dark');
    const mute = ['SCRIPT', 'STYLE', 'OPTION', 'DATALIST'];
    const behind = e => { const layers = [];
        for (let at = e; at; at = at.parentElement) { const c = parse(getComputedStyle(at).backgroundColor); if (c && c[3]) layers.push(c) }
        return layers.reverse().reduce((under, top) => over(top, under), dark ? [18, 18, 18, 1] : [255, 255, 255, 1]) };
    const found = new Map();
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
        const e = node.parentElement;
        if (!node.textContent.trim() || !e.getClientRects().length || mute.includes(e.tagName)) continue;
        const style = getComputedStyle(e), under = behind(e);
        const ink = parse(e instanceof SVGElement ? style.fill : style.color);
        if (!ink || style.visibility === 'hidden') continue;
        for (let at = e; at; at = at.parentElement) ink[3] *= getComputedStyle(at).opacity;
        const [a, b] = [light(over(ink, under)), light(under)], ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
        const name = e.tagName + '.' + e.getAttribute('class') + ' ' + ratio.toFixed(2);
        if (ratio < (large ? 3 : 4.5)) found.set(name, node.textContent.trim().slice(0, 40));
    }
    return [...found].map(pair => pair.join(': '));
})()"""

# The same of the figures of a heat map, each over its own cell, whose colour lies over the section's.
ON_CELLS = """(() => {
    const parse = text => (text.match(/[\\d.]+/g) || []).map(Number).slice(0, 3);
    const light = c => { const [r, g, b] = c.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b };
    return [...document.querySelectorAll('svg.heat')].flatMap(map => {
        const under = parse(getComputedStyle(map.closest('section')).backgroundColor), texts = map.querySelectorAll('text.in');
        return [...map.querySelectorAll('rect')].map((cell, place) => {
            const style = getComputedStyle(cell), share = parseFloat(style.fillOpacity);
            const behind = parse(style.fill).map((v, i) => v * share + under[i] * (1 - share));
            const [a, b] = [light(parse(getComputedStyle(texts[place]).fill)), light(behind)];
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        });
    });
})()"""
