import { contents } from './contents.ts';
import { modelHands } from './hands.ts';
import { rules } from './rules.ts';
import { sessions } from './sessions.ts';
import { onHosts } from './suite.ts';

onHosts('the service on the model of LVM', async () => modelHands(), { sessions, contents, rules });
