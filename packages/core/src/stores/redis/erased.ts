/** The name that is nobody's: what forgotten users used counts under it. */
export const ERASED = '(erased)';
