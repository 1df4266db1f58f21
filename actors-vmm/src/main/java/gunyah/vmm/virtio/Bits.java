package gunyah.vmm.virtio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Little- and big-endian integers in byte arrays. */
public final class Bits {
    private static final VarHandle LE16 = view(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LE32 = view(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LE64 = view(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle BE16 = view(short[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle BE32 = view(int[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle BE64 = view(long[].class, ByteOrder.BIG_ENDIAN);

    private Bits() {
    }

    private static VarHandle view(Class<?> array, ByteOrder order) {
        return MethodHandles.byteArrayViewVarHandle(array, order);
    }

    public static int le16(byte[] bytes, int at) {
        return (short) LE16.get(bytes, at) & 0xffff;
    }

    public static int le32(byte[] bytes, int at) {
        return (int) LE32.get(bytes, at);
    }

    public static long le64(byte[] bytes, int at) {
        return (long) LE64.get(bytes, at);
    }

    public static void le16(byte[] bytes, int at, int value) {
        LE16.set(bytes, at, (short) value);
    }

    public static void le32(byte[] bytes, int at, int value) {
        LE32.set(bytes, at, value);
    }

    public static void le64(byte[] bytes, int at, long value) {
        LE64.set(bytes, at, value);
    }

    public static int be16(byte[] bytes, int at) {
        return (short) BE16.get(bytes, at) & 0xffff;
    }

    public static int be32(byte[] bytes, int at) {
        return (int) BE32.get(bytes, at);
    }

    public static long be64(byte[] bytes, int at) {
        return (long) BE64.get(bytes, at);
    }

    public static void be16(byte[] bytes, int at, int value) {
        BE16.set(bytes, at, (short) value);
    }

    public static void be32(byte[] bytes, int at, int value) {
        BE32.set(bytes, at, value);
    }

    public static void be64(byte[] bytes, int at, long value) {
        BE64.set(bytes, at, value);
    }
}
