package io.grpcstream.samples.interop;

import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.grpcstream.samples.interop.Cell.Combination;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/**
 * Runs all scenarios of {@code samples/interop/README.md} between GrpcStream and the peers in other
 * languages, in both roles. {@code mvn verify -Pinterop} runs it.
 */
@Tag("interop")
class MatrixTest {
  private static final List<Side> SIDES = List.of(new JavaSide(), new KotlinSide());
  private static final Results RESULTS = new Results();

  @TestFactory
  Stream<DynamicNode> go() throws Exception {
    return matrix(Toolchain.GO);
  }

  @TestFactory
  Stream<DynamicNode> js() throws Exception {
    return matrix(Toolchain.JS);
  }

  @AfterAll
  static void showTheTable() throws IOException {
    RESULTS.publish(Path.of("target", "interop-table.md"));
  }

  private static Stream<DynamicNode> matrix(Toolchain other) throws Exception {
    other.require();
    return Combination.SECURITIES.stream()
        .flatMap(security -> other.keys().stream().map(key -> new Combination(security, key)))
        .flatMap(
            secured ->
                Stream.concat(
                    Stream.of(weDial(other, secured)),
                    SIDES.stream().map(side -> theyDial(other, side, secured))));
  }

  /** One listening process serves all of our sides. */
  private static DynamicNode weDial(Toolchain other, Combination secured) {
    OtherListens listening = new OtherListens(other, secured, RESULTS);
    return dynamicContainer(
        "%s listens, %s".formatted(other.language(), secured),
        Stream.concat(
                SIDES.stream().flatMap(listening::tests),
                Stream.of(dynamicTest("its end", listening::end)))
            .onClose(listening::close));
  }

  private static DynamicNode theyDial(Toolchain other, Side side, Combination secured) {
    OtherDials dialling = new OtherDials(other, side, secured, RESULTS);
    return dynamicContainer(
        "%s listens for %s, %s".formatted(side.language(), other.language(), secured),
        Stream.concat(dialling.tests(), Stream.of(dynamicTest("its end", dialling::end)))
            .onClose(dialling::close));
  }
}
