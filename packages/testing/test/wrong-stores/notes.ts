import { later, noting, whole, type Case } from './wrong.js';

/** Wrong in notes and claims. */
export const NOTES: readonly Case[] = [
  [
    'lets two holders have a name',
    noting(({ claim }) => ({ claim: async (...given) => (await claim(...given)) || true })),
    [/^a name is claimed by one/, /^of many who claim/, /^any text is a note/],
  ],
  [
    'refuses a name to who has it',
    noting(({ claim }, { claims, now }) => ({
      claim: async (name, ...given) => {
        const claimed = claims.get(name);
        return given[1] > 0 && claimed && claimed.until > now ? false : claim(name, ...given);
      },
    })),
    [/^a name is claimed by one/, /^a claim ends with its time/],
  ],
  [
    'lets anybody let go of a name',
    noting(({ claim }, { claims }) => ({
      claim: async (name, holder, forMs) => {
        if (forMs === 0) claims.delete(name);
        return claim(name, holder, forMs);
      },
    })),
    [/^a name is claimed by one/],
  ],
  [
    'never lets go of a name',
    noting(({ claim }) => ({
      claim: (name, holder, forMs) => forMs === 0 || claim(name, holder, forMs),
    })),
    [/^a name is claimed by one/],
  ],
  [
    'has one claim for all names',
    noting(({ claim }) => ({ claim: (_, ...rest) => claim('claim', ...rest) })),
    [/^a name is claimed by one/],
  ],
  [
    'lets a claim last for ever',
    noting(({ claim }) => ({
      claim: (name, holder, forMs) => claim(name, holder, forMs && Infinity),
    })),
    [/^a claim ends with its time/],
  ],
  [
    'takes seconds for milliseconds',
    noting(({ claim }) => ({
      claim: (name, holder, forMs) => claim(name, holder, forMs / 1_000),
    })),
    [/^a claim ends with its time/],
  ],
  [
    'does not renew a claim',
    noting(({ claim }, money) => ({
      async claim(name, holder, forMs) {
        const before = money.claims.get(name);
        const has = await claim(name, holder, forMs);
        if (before?.holder === holder && before.until > money.now) money.claims.set(name, before);
        return has;
      },
    })),
    [/^a claim ends with its time/],
  ],
  [
    'looks who has a name, and then takes it',
    noting((_, { claims, now }) => ({
      async claim(name, holder, forMs) {
        const claimed = claims.get(name);
        await later();
        if (claimed && claimed.holder !== holder && claimed.until > now) return false;
        claims.set(name, { holder, until: now + forMs });
        return true;
      },
    })),
    [/^of many who claim/],
  ],
  [
    'has no note for an empty text',
    noting(({ note }) => ({ note: async (name) => (await note(name)) || null })),
    [/^a note is what was put last/],
  ],
  [
    'writes down that there is nothing',
    noting(({ putNote }) => ({ putNote: (name, text) => putNote(name, String(text)) })),
    [/^a note is what was put last/],
  ],
  [
    'cuts long notes',
    noting(({ putNote }) => ({
      putNote: (name, text) => putNote(name, text && text.slice(0, 65_536)),
    })),
    [/^a note is what was put last/],
  ],
  [
    'folds the case of the names of notes',
    noting(({ note, putNote }) => ({
      note: (name) => note(name.toLowerCase()),
      putNote: (name, text) => putNote(name.toLowerCase(), text),
    })),
    [/^a note is what was put last/, /^any text is a note/],
  ],
  [
    'keeps whole characters only',
    noting(({ putNote }) => ({
      putNote: (name, text) => putNote(name, text && whole(text)),
    })),
    [/^any text is a note/],
  ],
  [
    'trims the names of holders',
    noting(({ claim }) => ({
      claim: (name, holder, forMs) => claim(name, holder.trim(), forMs),
    })),
    [/^any text is a note/],
  ],
  [
    'has notes in each view that the others do not have',
    noting(() => {
      const mine = new Map<string, string>();
      return {
        note: (name) => mine.get(name) ?? null,
        putNote: (name, text) => void (text === null ? mine.delete(name) : mine.set(name, text)),
      };
    }),
    [/^a note is what was put last/, /^notes and claims are there/],
  ],
];
