/** Settings: the disk, the log, the record of what happened. */

import { group } from '../declare.ts';
import { choice, count, duration, path, size } from '../values.ts';

export const storage = group('Storage', 'Where everything is kept.', {
  data_directory: {
    type: path(),
    default: {
      derived: ({ stateDirectory }) => stateDirectory,
      words: '/var/lib/postern for root, else postern below $XDG_STATE_HOME',
    },
    doc: 'The directory of the database, of large messages and of certificates of our own.',
  },
  queue_minfree: {
    type: size('1M', '1T'),
    unit: 'octets',
    default: '128M',
    doc: 'Free disk space below which new mail is put off with 452 while reading goes on.',
  },
  ledger_days: {
    type: count(1, 3_650),
    unit: 'days',
    default: 30,
    doc: 'How long the record of sessions and deliveries is kept that `postern trace` reads.',
  },
});

export const observation = group('Log', 'What is told while it runs.', {
  log_level: {
    type: choice('debug', 'info', 'warn', 'error'),
    default: 'info',
    doc: 'The least important events that are logged.',
  },
  log_format: {
    type: choice('auto', 'json', 'text'),
    default: 'auto',
    doc: 'One JSON object a line, or short text for people; auto: text on a terminal.',
  },
  shutdown_timeout: {
    type: duration('0s', '5m'),
    unit: 'milliseconds',
    default: '10s',
    doc: 'How long open sessions may take to end when the server stops.',
  },
});
