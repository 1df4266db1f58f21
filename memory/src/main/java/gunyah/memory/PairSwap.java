package gunyah.memory;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Compare and swap of 16 bytes of host memory, which CASP and STXP need and the JVM does not have: a few instructions
 * of the host's own, called through the foreign function interface (docs/adr/0014-pairs.md). On a host without them,
 * or that allows no executable memory, a lock makes it atomic among its callers, and a plain store by another thread
 * may fall in between. Thread safe.
 */
public final class PairSwap {
    private static final int PAGE = 4096;
    private static final int PROT_READ_WRITE = 3;
    private static final int PROT_READ_EXECUTE = 5;
    private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
    private static final int LOCKS = 256;

    /**
     * {@code int swap(host, pair, low, high)} of the System V ABI: endbr64; push rbx; mov rbx, rdx; mov rax, [rsi];
     * mov rdx, [rsi + 8]; lock cmpxchg16b [rdi]; mov [rsi], rax; mov [rsi + 8], rdx; sete al; movzx eax, al; pop rbx;
     * ret.
     */
    private static final int[] X86_64 = {0xFA1E_0FF3, 0xD389_4853, 0x4806_8B48, 0xF008_568B, 0x0FC7_0F48, 0x4806_8948,
        0x0F08_5689, 0xB60F_C094, 0x90C3_5BC0};

    /** The same of the AAPCS64; what differs is stored back, or the loads would not be one access. */
    static final int[] AARCH64 = {
        0xA940_1424, // ldp x4, x5, [x1]
        0xC87F_9C06, // ldaxp x6, x7, [x0]
        0xEB04_00DF, // cmp x6, x4
        0xFA45_00E0, // ccmp x7, x5, #0, eq
        0x5400_00C1, // b.ne to the second stlxp
        0xC828_8C02, // stlxp w8, x2, x3, [x0]
        0x35FF_FF68, // cbnz w8, back to the ldaxp
        0xD503_3BBF, // dmb ish
        0x5280_0020, // mov w0, #1
        0xD65F_03C0, // ret
        0xC828_9C06, // stlxp w8, x6, x7, [x0]
        0x35FF_FEC8, // cbnz w8, back to the ldaxp
        0xD503_3BBF, // dmb ish
        0xA900_1C26, // stp x6, x7, [x1]
        0x5280_0000, // mov w0, #0
        0xD65F_03C0}; // ret

    private static final Object[] LOCK = new Object[LOCKS];
    private static final MethodHandle SWAP;

    static {
        for (int i = 0; i < LOCKS; i++) {
            LOCK[i] = new Object();
        }
        int[] code = code();
        SWAP = code == null ? null : load(code);
    }

    private PairSwap() {
    }

    /** {@return whether plain stores of other threads cannot fall in between} */
    public static boolean isAtomic() {
        return SWAP != null;
    }

    /**
     * Stores {@code low} and {@code high} at {@code host} when the pair is there; else the pair becomes what is there.
     *
     * @param host host address, aligned to 16 bytes
     * @param pair address of the two words that are expected, of a {@link NativeWords} that no other thread uses
     * @return whether it stored
     */
    public static boolean swap(long host, long pair, long low, long high) {
        RawMemory.RAW.checkPair(host);
        if (SWAP == null) {
            return swapLocked(host, pair, low, high);
        }
        try {
            return (int) SWAP.invokeExact(host, pair, low, high) != 0;
        } catch (Throwable e) {
            throw new IllegalStateException("native code threw", e);
        }
    }

    static boolean swapLocked(long host, long pair, long low, long high) {
        synchronized (LOCK[(int) (host >>> 4) & LOCKS - 1]) {
            long foundLow = RawMemory.RAW.getLongVolatile(host);
            long foundHigh = RawMemory.RAW.getLongVolatile(host + 8);
            if (foundLow == NativeWords.get(pair) && foundHigh == NativeWords.get(pair + 8)) {
                RawMemory.RAW.putLongVolatile(host, low);
                RawMemory.RAW.putLongVolatile(host + 8, high);
                return true;
            }
            NativeWords.set(pair, foundLow);
            NativeWords.set(pair + 8, foundHigh);
            return false;
        }
    }

    private static int[] code() {
        if (!System.getProperty("os.name").equals("Linux")) {
            return null;
        }
        return switch (System.getProperty("os.arch")) {
            case "aarch64" -> AARCH64;
            case "amd64" -> hasCompareExchange16() ? X86_64 : null;
            default -> null;
        };
    }

    /** The first 64-bit processors had none. */
    private static boolean hasCompareExchange16() {
        try {
            return Files.readString(Path.of("/proc/cpuinfo")).contains(" cx16");
        } catch (IOException e) {
            return false;
        }
    }

    /** The page stays as long as the process. Linux makes instruction fetches see it when it becomes executable. */
    private static MethodHandle load(int[] code) {
        MethodHandle map = PhysicalMemory.function("mmap", FunctionDescriptor.of(ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));
        MethodHandle protect = PhysicalMemory.function("mprotect", FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
        try {
            long page = (long) map.invokeExact(0L, (long) PAGE, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
            if (page == -1) {
                return null;
            }
            MemorySegment at = MemorySegment.ofAddress(page);
            ByteBuffer words = at.reinterpret(PAGE).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
            for (int word : code) {
                words.putInt(word);
            }
            if ((int) protect.invokeExact(page, (long) PAGE, PROT_READ_EXECUTE) != 0) {
                return null;
            }
            // critical: a few nanoseconds, during which no collection may start
            return Linker.nativeLinker().downcallHandle(at, FunctionDescriptor.of(ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG),
                    Linker.Option.critical(false));
        } catch (Throwable e) {
            throw new IllegalStateException("mmap or mprotect could not be called", e);
        }
    }
}
