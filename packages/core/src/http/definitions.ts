import { markup, type Html } from './html.js';

/** Facts with their names, side by side. */
export function definitions(
  items: readonly (readonly [name: string, value: Html | string])[],
): Html {
  return markup`<dl class="trust">
      ${items.map(
        ([name, value]) =>
          markup`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>`;
}
