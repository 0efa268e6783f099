export function emptyFolder(): string;
