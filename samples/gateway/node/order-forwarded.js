// node order-forwarded.js HOST:PORT [--shop-token-file FILE] ARTICLE [QUANTITY]: as order.js, but a
// plain gRPC client, for the door that `peercurl forward` opens to the shop's orders.
import { randomUUID } from 'node:crypto';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { PROTOS, options, tokenIn } from './common.js';

const given = options({});
const [address, sku, quantity = '1'] = given.rest;
if (!sku) {
  console.error('Say where the door is, and what you want: HOST:PORT ARTICLE [QUANTITY].');
  process.exit(2);
}
const definition = loadSync('shop.proto', { includeDirs: PROTOS, keepCase: false, longs: String, enums: String, defaults: true });
const { Orders } = grpc.loadPackageDefinition(definition).shop;
const orders = new Orders(address, grpc.credentials.createInsecure());
const metadata = new grpc.Metadata();
const token = tokenIn(given['shop-token-file']);
if (token) metadata.set('authorization', `Bearer ${token}`);

try {
  const orderId = randomUUID(); // Made here: placed twice, it is one order all the same.
  const placed = await new Promise((resolve, reject) => {
    const lines = [{ sku, quantity: Number(quantity) }];
    orders.placeOrder({ orderId, lines }, metadata, (error, order) => (error ? reject(error) : resolve(order)));
  });
  console.log(`${placed.state}${placed.reason ? `: ${placed.reason}` : ''}`);
  for await (const order of orders.watchOrder({ orderId }, metadata)) console.log(`  now ${order.state}`);
} catch (error) {
  console.error(`status ${error.code}: ${error.details}`);
  process.exitCode = 1;
} finally {
  orders.close();
}
