/** How jvm-libp2p, which is not on Maven Central, agrees on the protocol of a stream. */
@org.jspecify.annotations.NullMarked
package io.libp2p.multistream;
