package io.grpcstream.libp2p.security;

import io.netty.channel.Channel;
import io.netty.util.concurrent.Future;
import java.util.List;

/**
 * One way to authenticate and encrypt a connection, such as Noise or TLS 1.3. An instance belongs
 * to one host identity, is thread-safe, and serves all of its connections.
 */
public interface SecurityProtocol {
  /** The multistream protocol id, such as {@code /noise}. */
  String id();

  /**
   * Runs the handshake at the end of {@code channel}'s pipeline. Must be called on its event loop.
   * The future completes on that event loop, before any decrypted byte travels on: its listeners
   * may add the next handlers and receive all of them. On failure the channel is left to the caller
   * to close.
   *
   * @param muxers muxer protocol ids this side offers inside the handshake, in order of preference
   * @param check called with the remote's key once, before the future completes. As initiator it is
   *     called before anything is sent that tells the remote who this side is; with TLS the remote
   *     has then still to prove that it holds its certificate's key, or the handshake fails
   */
  Future<SecuredConnection> secure(
      Channel channel, boolean initiator, List<String> muxers, RemoteKeyCheck check);
}
