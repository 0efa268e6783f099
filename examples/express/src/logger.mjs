// The log that the application has anyway: lines for people on the console, JSON in a file.
import { createLogger, format, transports } from 'winston';

const forPeople = format.printf(
  ({ timestamp, level, message }) => `${String(timestamp)} ${level.padEnd(5)} ${String(message)}`,
);

export const logger = createLogger({
  level: process.env.LOG_LEVEL || 'info',
  defaultMeta: { service: 'help-desk' },
  format: format.combine(format.errors({ stack: true }), format.timestamp()),
  transports: [
    new transports.Console({ format: forPeople }),
    new transports.File({
      filename: process.env.LOG_FILE || 'help-desk.log',
      format: format.json(),
    }),
  ],
});
