package gunyah.arm64.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A state is copied and compared as a whole. */
class CpuStateTest {
    static Stream<Field> fields() {
        return Stream.of(CpuState.class.getFields()).filter(field -> !Modifier.isStatic(field.getModifiers()));
    }

    @ParameterizedTest
    @MethodSource("fields")
    void everyFieldIsCopiedAndCompared(Field field) throws ReflectiveOperationException {
        CpuState changed = new CpuState();
        CpuState copy = new CpuState();
        change(field, changed);
        assertThat(changed.sameAs(copy)).isFalse();

        copy.copyFrom(changed);

        assertThat(field.get(copy)).isEqualTo(field.get(changed));
        assertThat(changed.sameAs(copy)).isTrue();
    }

    private static void change(Field field, CpuState state) throws ReflectiveOperationException {
        if (field.getType() == long[].class) {
            ((long[]) field.get(state))[5] = 1;
        } else if (field.getType() == boolean.class) {
            field.setBoolean(state, true);
        } else if (field.getType() == long.class) {
            field.setLong(state, 4);
        } else {
            int bit = switch (field.getName()) {
                case "nzcv" -> CpuState.N;
                case "btype" -> 2;
                default -> 0;
            };
            field.setInt(state, bit == 0 ? 1 - (field.getInt(state) & 1) : bit);
        }
    }
}
