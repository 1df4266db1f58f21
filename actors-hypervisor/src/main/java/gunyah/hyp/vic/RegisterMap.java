package gunyah.hyp.vic;

import java.util.function.Function;

/** The registers of one frame by offset. Immutable. */
final class RegisterMap<R> {
    private final Object[] byWord;

    RegisterMap(long sizeBytes, R[] registers, Function<R, RegisterSpan> spanOf) {
        byWord = new Object[(int) sizeBytes / 4];
        for (R register : registers) {
            RegisterSpan span = spanOf.apply(register);
            for (int offset = span.first(); offset < span.end(); offset += 4) {
                if (byWord[offset / 4] != null) {
                    throw new IllegalStateException(register + " overlaps " + byWord[offset / 4]);
                }
                byWord[offset / 4] = register;
            }
        }
    }

    /** {@return the register that holds the byte, or null} */
    @SuppressWarnings("unchecked")
    R at(long offset) {
        return (R) byWord[(int) (offset / 4)];
    }
}
