import { contents } from '../../storage/contents.ts';
import { rules } from '../../storage/rules.ts';
import { sessions } from '../../storage/sessions.ts';
import { onHosts } from '../../storage/suite.ts';
import { realHands } from './real-hands.ts';

onHosts('the service on real LVM', realHands, { sessions, contents, rules });
