// node greet.js [--gateway URL] [--peer NAME] NAME...: is greeted, in one language and in all of them.
import { options, peerService } from './peer.js';

const given = options({ peer: 'greeter' });
const greeter = peerService('greeter.proto', 'greeter.Greeter', given);
const name = given.rest.join(' ') || 'Ada';

try {
  console.log((await greeter.sayHello({ name })).message);
  for await (const reply of greeter.sayHelloStream({ name })) console.log(reply.message);
} catch (error) {
  console.error(`status ${error.code}: ${error.message}`);
  process.exitCode = 1;
}
