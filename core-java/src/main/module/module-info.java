/**
 * gRPC over the streams of a libp2p host. What is not exported is internal.
 *
 * <p>On the module path the JVM finds only modules that something requires, and nothing here
 * requires native code, which every system has its own of. Those who want it add it, as in {@code
 * --add-modules io.netty.transport.epoll.linux.x86_64}.
 */
module io.grpcstream.core {
  exports io.grpcstream;
  exports io.grpcstream.libp2p;
  exports io.grpcstream.libp2p.crypto;

  // Of these there are types in the API.
  requires transitive io.grpc;
  requires transitive io.grpc.services;
  requires transitive io.netty.common;
  requires transitive io.netty.transport;
  requires static transitive org.jspecify;

  requires static com.google.errorprone.annotations;

  requires com.google.common;
  requires com.google.protobuf;
  requires io.grpc.internal;
  requires io.grpc.netty;
  requires io.grpc.protobuf;
  requires io.grpc.stub;
  requires io.grpc.util;
  requires io.netty.buffer;
  requires io.netty.codec;
  requires io.netty.codec.http2;
  requires io.netty.handler;
  requires io.netty.transport.classes.epoll;
  requires io.netty.transport.classes.kqueue;
  requires org.bouncycastle.provider;
  requires org.slf4j;

  // What gRPC and Guava need, whose modules are automatic ones and so cannot require any.
  requires com.google.common.util.concurrent.internal;
  requires com.google.gson;
  requires io.netty.handler.proxy;

  // For channels of libp2p targets.
  provides io.grpc.ManagedChannelProvider with
      io.grpcstream.netty.PeerChannelProvider;
  provides io.grpc.NameResolverProvider with
      io.grpcstream.targets.PeerNameResolverProvider;

  // BoringSSL, where there is one.
  requires static io.netty.tcnative.classes.openssl;
}
