import { describeExample } from '../../shared/test/example.js';
import { start } from '../src/start.js';

describeExample(start);
