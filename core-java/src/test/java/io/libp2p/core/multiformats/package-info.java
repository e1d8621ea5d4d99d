/** What an example needs of jvm-libp2p, which is not on Maven Central, with the same signatures. */
@org.jspecify.annotations.NullMarked
package io.libp2p.core.multiformats;
