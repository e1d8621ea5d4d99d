// node order.js [--gateway URL] [--peer NAME] [--shop-token-file FILE] ARTICLE [QUANTITY]: orders of the
// shop, and follows the order until it is final.
import { randomUUID } from 'node:crypto';
import { tokenIn } from './common.js';
import { options, peerService } from './peer.js';

const given = options({ peer: 'orders' });
const orders = peerService('shop.proto', 'shop.Orders', given);
const [sku, quantity = '1'] = given.rest;
if (!sku) {
  console.error('Say what you want: ARTICLE [QUANTITY].');
  process.exit(2);
}
// The shop's own token: authorization may be the gateway's, and so would not get there.
const token = tokenIn(given['shop-token-file']);
const metadata = token ? { 'grpc-metadata-authorization': `Bearer ${token}` } : {};

try {
  const orderId = randomUUID(); // Made here: placed twice, it is one order all the same.
  const lines = [{ sku, quantity: Number(quantity) }];
  const placed = await orders.placeOrder({ orderId, lines }, metadata);
  console.log(`${placed.state}${placed.reason ? `: ${placed.reason}` : ''}`);
  for await (const order of orders.watchOrder({ orderId }, metadata)) console.log(`  now ${order.state}`);
} catch (error) {
  console.error(`status ${error.code}: ${error.message}`);
  process.exitCode = 1;
}
