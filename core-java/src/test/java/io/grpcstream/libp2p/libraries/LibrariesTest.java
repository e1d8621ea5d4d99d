package io.grpcstream.libp2p.libraries;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class LibrariesTest {
  @Test
  void whatWeAreBuiltWithIsNotTooOld() {
    assertThatCode(Libraries::checkForGrpc).doesNotThrowAnyException();
  }

  /** Else a name in the table is wrong, and its library is never judged. */
  @ParameterizedTest
  @EnumSource
  void eachLibraryIsFoundByItsNameAndNoneIsOld(Library library) {
    assertThat(library.jar()).matches("[a-z0-9-]+-\\d+\\.\\d+.*\\.jar");
    assertThat(library.isOld()).isFalse();
    assertThat(library.isTooOld()).isFalse();
  }

  @Test
  void aMissingMethodIsSaidWithTheJarThatLacksIt() {
    String message = "'java.lang.String io.netty.internal.tcnative.SSL.getGroupName(long)'";
    assertThat(Libraries.describe(new NoSuchMethodError(message)))
        .contains("NoSuchMethodError " + message)
        .containsPattern("found netty-tcnative-classes-[0-9.]+Final\\.jar")
        .containsPattern("netty-handler-4[0-9.]+Final\\.jar was made for is needed");
  }

  @Test
  void aMissingClassIsSaidWithTheJarOfItsLibrary() {
    assertThat(Libraries.describe(new NoClassDefFoundError("io/netty/channel/IoHandlerFactory2")))
        .contains("NoClassDefFoundError io/netty/channel/IoHandlerFactory2")
        .containsPattern("netty-transport-4[0-9.]+Final\\.jar");
  }

  @Test
  @DisplayName("A class of a library that we do not know is said with its JAR")
  void classOfAnUnknownLibrary() {
    assertThat(
            Libraries.describe(new NoSuchMethodError("'void org.assertj.core.api.Assertions.x()'")))
        .containsPattern("found assertj-core-[0-9.]+jar");
  }

  @Test
  void aFailureWithoutATextIsSaidWithItsCause() {
    LinkageError failure = new ExceptionInInitializerError(new IllegalArgumentException("why"));
    assertThat(Libraries.describe(failure)).contains("why");
  }

  @Test
  void aFailureToLinkIsFoundAmongTheCauses() {
    LinkageError failure = new NoSuchFieldError("x");
    assertThat(Libraries.linkageError(new RuntimeException(new Exception(failure))))
        .isSameAs(failure);
    assertThat(Libraries.linkageError(new RuntimeException(new Exception()))).isNull();
    assertThat(Libraries.linkageError(null)).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"4.1.130.Final<4.2.0.Final", "4.2.9<4.2.10", "1.78<1.78.1", "4.2<4.2.1"})
  void versionsAreComparedByTheirNumbers(String pair) {
    String[] versions = pair.split("<", -1);
    assertThat(Library.compare(versions[0], versions[1])).isNegative();
    assertThat(Library.compare(versions[1], versions[0])).isPositive();
    assertThat(Library.compare(versions[0], versions[0])).isZero();
  }
}
