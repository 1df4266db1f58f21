package gunyah.vmm.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.config.BadInput;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

/** Which files are kernels, where they go, and what the others are told. */
class KernelLoaderTest {
    private static final long RAM = 0x4000_0000L;

    private final KernelLoader loader = new KernelLoader(new Ram(RAM, 64 << 20));

    private static ByteBuffer image(int fileSize, long textOffset, long imageSize, long flags) {
        ByteBuffer file = ByteBuffer.allocate(fileSize).order(ByteOrder.LITTLE_ENDIAN);
        return file.putInt(0, 0x14000010).putLong(8, textOffset).putLong(16, imageSize).putLong(24, flags)
                .putInt(56, 0x644d5241);
    }

    private static ByteBuffer elf(int machine, long entry) {
        ByteBuffer file = ByteBuffer.allocate(0x200).order(ByteOrder.LITTLE_ENDIAN);
        file.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
        file.putShort(16, (short) 2).putShort(18, (short) machine).putLong(24, entry).putLong(32, 64);
        file.putShort(54, (short) 56).putShort(56, (short) 1);
        file.putInt(64, 1).putLong(72, 0x100).putLong(80, 0xffff_0000_0000_0000L).putLong(88, RAM + 0x10000);
        return file.putLong(96, 0x100).putLong(104, 0x1000);
    }

    private static byte[] gzip(byte[] plain) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write(plain);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return bytes.toByteArray();
    }

    private void refused(byte[] file, String... words) {
        assertThatThrownBy(() -> loader.kernel("kernel.bin", file)).isInstanceOf(BadInput.class)
                .hasMessageContaining("kernel.bin").hasMessageContainingAll(words);
    }

    @Test
    void takesTheKernelOutOfAZbootImage() {
        byte[] image = image(0x1000, 0, 0x2000, 0xa).array();
        byte[] zboot = ImageFuzzTest.zboot(gzip(image));

        assertThat(loader.kernel("vmlinuz.efi", zboot)).usingRecursiveComparison()
                .isEqualTo(loader.kernel("vmlinuz.efi", image));

        byte[] cut = zboot.clone();
        cut[13] = 0x7f;
        refused(cut, "cut off");
        byte[] other = zboot.clone();
        other[24] = 'x';
        refused(other, "not compressed with gzip");
    }

    @Test
    void anImageGoesToItsTextOffsetAndKeepsItsWholeSize() {
        GuestImage placed = loader.kernel("Image", image(0x1000, 0x8_0000, 0x20_0000, 0xa).array());

        assertThat(placed.entry()).isEqualTo(RAM + 0x8_0000);
        assertThat(placed.end()).isEqualTo(RAM + 0x28_0000);
        assertThat(placed.chunks()).hasSize(1);
        assertThat(placed.chunks().getFirst().size()).isEqualTo(0x1000);
    }

    @Test
    void aCompressedImageIsUnpacked() {
        byte[] plain = image(0x1000, 0, 0x2000, 0xa).array();

        GuestImage placed = loader.kernel("Image.gz", gzip(plain));

        assertThat(placed.entry()).isEqualTo(RAM);
        assertThat(placed.chunks().getFirst().data()).isEqualTo(plain);
    }

    @Test
    void anOldImageWithoutSizeGoesToItsCustomaryPlace() {
        assertThat(loader.kernel("Image", image(0x1000, 0x1234, 0, 0).array()).entry()).isEqualTo(RAM + 0x8_0000);
    }

    @Test
    void anElfFileGoesToItsPhysicalAddresses() {
        GuestImage placed = loader.kernel("guest.elf", elf(183, 0xffff_0000_0000_0040L).array());

        assertThat(placed.entry()).isEqualTo(RAM + 0x10040);
        assertThat(placed.chunks()).hasSize(1);
        assertThat(placed.chunks().getFirst().gpa()).isEqualTo(RAM + 0x10000);
        assertThat(placed.chunks().getFirst().from()).isEqualTo(0x100);
        assertThat(placed.end()).isEqualTo(RAM + 0x11000);
    }

    @Test
    void anElfEntryMayBeAPhysicalAddress() {
        assertThat(loader.kernel("guest.elf", elf(183, RAM + 0x10008).array()).entry()).isEqualTo(RAM + 0x10008);
    }

    @Test
    void anythingElseIsRawCode() {
        GuestImage placed = loader.kernel("guest.bin", new byte[] {0x20, 0x00, (byte) 0x80, (byte) 0xd2});

        assertThat(placed.entry()).isEqualTo(RAM + 0x8_0000);
        assertThat(loader.firmware("u-boot.bin", new byte[16]).entry()).isEqualTo(RAM + 0x20_0000);
    }

    @Test
    void emptyFilesAreRefused() {
        refused(new byte[0], "is empty");
        refused(gzip(new byte[0]), "empty");
    }

    @Test
    void imagesForOtherMachinesAreRefused() {
        refused(image(0x1000, 0, 0x1000, 0xb).array(), "big-endian");
        refused(image(0x1000, 0, 0x1000, 0xc).array(), "16 KiB pages");
        refused(ByteBuffer.allocate(0x400).order(ByteOrder.LITTLE_ENDIAN).putInt(0x202, 0x53726448).array(), "x86",
                "arm64 Image");
        refused(ByteBuffer.allocate(0x400).order(ByteOrder.LITTLE_ENDIAN).putInt(0x24, 0x016f2818).array(), "32-bit");
        ByteBuffer pe = ByteBuffer.allocate(0x200).order(ByteOrder.LITTLE_ENDIAN);
        refused(pe.put(0, (byte) 'M').put(1, (byte) 'Z').putInt(60, 0x80).putInt(0x80, 0x4550)
                .putShort(0x84, (short) 0x8664).array(), "x86-64");
    }

    @Test
    void elfFilesForOtherMachinesAreRefused() {
        refused(elf(62, RAM).array(), "x86-64");
        refused(elf(183, RAM).put(4, (byte) 1).array(), "32-bit");
        refused(elf(183, RAM).put(5, (byte) 2).array(), "big-endian");
        refused(elf(183, RAM).putShort(16, (short) 1).array(), "not linked");
        refused(elf(183, 0x10).array(), "starts at 0x10");
    }

    @Test
    void filesThatAreCutOffAreRefused() {
        refused(Arrays.copyOf(elf(183, RAM).array(), 0x180), "cut off");
        refused(Arrays.copyOf(elf(183, RAM).array(), 0x50), "cut off");
        refused(Arrays.copyOf(elf(183, RAM).array(), 0x20), "cut off");
        byte[] packed = gzip(image(0x1000, 0, 0x2000, 0xa).array());
        refused(Arrays.copyOf(packed, packed.length - 12), "cut off");
        ByteBuffer stub = image(0x1000, 0, 0x2000, 0xa).putInt(60, 0x40).putInt(0x40, 0x4550)
                .putShort(0x46, (short) 1).putShort(0x54, (short) 0);
        refused(stub.putInt(0x58 + 16, 0x1000).putInt(0x58 + 20, 0x800).array(), "cut off", "6144");
    }

    @Test
    void damagedFilesAreRefused() {
        refused(image(0x1000, 0x30_0000, 0x1000, 0xa).array(), "damaged header");
        refused(image(0x1000, 0, -1, 0xa).array(), "damaged header");
        byte[] packed = gzip(new byte[100_000]);
        packed[20] ^= 0x55;
        refused(packed, "gzip");
    }

    @Test
    void otherCompressionsAreNamed() {
        refused(new byte[] {(byte) 0xfd, '7', 'z', 'X', 'Z', 0, 0}, "xz", "decompress");
        refused(new byte[] {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd, 0}, "zstd");
        refused(new byte[] {'B', 'Z', 'h', '9'}, "bzip2");
    }

    @Test
    void whatIsLargerThanMemorySaysHowMuchItNeeds() {
        refused(image(0x1000, 0, 65 << 20, 0xa).array(), "at least 65 MiB", "has 64 MiB");
        refused(elf(183, RAM).putLong(88, RAM + (64 << 20)).array(), "65 MiB");
        refused(elf(183, RAM).putLong(88, 0x8000_0000L - 0x7000_0000L).array(), "starts at 0x40000000");
        refused(gzip(new byte[65 << 20]), "larger than the guest memory");
    }
}
