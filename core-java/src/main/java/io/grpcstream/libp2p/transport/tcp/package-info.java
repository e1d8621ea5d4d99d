/** TCP, by epoll or kqueue where the platform has them and by NIO elsewhere. Internal. */
@NullMarked
package io.grpcstream.libp2p.transport.tcp;

import org.jspecify.annotations.NullMarked;
