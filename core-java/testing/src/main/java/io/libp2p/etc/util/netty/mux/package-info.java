/** What tests need of jvm-libp2p, which is not on Maven Central. */
@org.jspecify.annotations.NullMarked
package io.libp2p.etc.util.netty.mux;
