// A service of a peer, called through the gateway by gRPC-Web, in Node.js. The stubs are made of the
// .proto file as the program starts. In a browser leave xhr2 out, and have protoc-gen-grpc-web make them.
import { loadSync } from '@grpc/proto-loader';
import grpcWeb from 'grpc-web';
import XMLHttpRequest from 'xhr2';
import { PROTOS, options as words, tokenIn } from './common.js';

globalThis.XMLHttpRequest = XMLHttpRequest;

// The options of a command line: --gateway, --peer, --token-file; and what else there is.
export function options(defaults) {
  const all = words({ gateway: 'http://127.0.0.1:8080', ...defaults });
  return { ...all, token: tokenIn(all['token-file']) };
}

// An object with a function for each method: a unary one returns a promise, a server-streaming one an
// async iterable of messages. Both fail with grpc-web's RpcError.
export function peerService(file, name, { gateway, peer, token }) {
  const service = loadSync(file, { includeDirs: PROTOS, keepCase: false, longs: String, enums: String, defaults: true })[name];
  const client = new grpcWeb.GrpcWebClientBase({ format: 'text' });
  const base = `${gateway}/peers/${encodeURIComponent(peer)}`;
  const stub = {};
  for (const [method, definition] of Object.entries(service)) {
    if (definition.requestStream) continue; // gRPC-Web has none of these.
    const type = definition.responseStream ? grpcWeb.MethodType.SERVER_STREAMING : grpcWeb.MethodType.UNARY;
    const descriptor = new grpcWeb.MethodDescriptor(definition.path, type, Object, Object,
      (request) => new Uint8Array(definition.requestSerialize(request)),
      (bytes) => definition.responseDeserialize(Buffer.from(bytes)));
    stub[method[0].toLowerCase() + method.slice(1)] = (request, metadata = {}) => {
      const headers = token ? { authorization: `Bearer ${token}`, ...metadata } : metadata;
      if (!definition.responseStream) return client.unaryCall(base + definition.path, request, headers, descriptor);
      return messages(client.serverStreaming(base + definition.path, request, headers, descriptor));
    };
  }
  return stub;
}

// grpc-web's stream, whose events come whether they are wanted or not, as one that is iterated.
async function* messages(stream) {
  const waiting = [];
  let wake = () => {};
  let end = null;
  stream.on('data', (message) => { waiting.push(message); wake(); });
  stream.on('error', (error) => { end = error; wake(); });
  stream.on('end', () => { end ??= 'ended'; wake(); });
  try {
    for (;;) {
      while (waiting.length > 0) yield waiting.shift();
      if (end === 'ended') return;
      if (end) throw end;
      await new Promise((resolve) => { wake = resolve; });
    }
  } finally {
    stream.cancel();
  }
}
