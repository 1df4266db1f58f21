package gunyah.vmm.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.rm.rpc.WireWriter;
import gunyah.vmm.Scenario;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** Payloads of the RM calls, against golden bytes of the reference. */
class RmClientTest {
    private record Sent(int id, byte[] payload, CompletableFuture<byte[]> reply) {
        String hex() {
            return HexFormat.of().formatHex(payload);
        }
    }

    private final List<Sent> sent = new ArrayList<>();
    private final RmClient rm = new RmClient((id, payload, reply) -> sent.add(new Sent(id, payload, reply)));

    @Test
    void stopIsForcedWithReasonThree() {
        rm.stop(0x80);

        assertThat(sent.getFirst().id).isEqualTo(0x56000005);
        assertThat(sent.getFirst().hex()).isEqualTo("8000010003000000");
    }

    @Test
    void bootContextCarriesSetIndexAndValue() {
        rm.setBootContext(0x80, Uapi.REG_PC, 0x80080000L);

        assertThat(sent.getFirst().hex()).isEqualTo("80000100000000000000088000000000");
    }

    @Test
    void lendNamesOneVmAndItsRights() {
        CompletionStage<Integer> handle = rm.lend(0x80, 7, List.of(new RmClient.MemEntry(0x90000000L, 0x200000)));
        sent.getFirst().reply.complete(new WireWriter().u32(9).toBytes());

        assertThat(sent.getFirst().id).isEqualTo(0x51000012);
        assertThat(sent.getFirst().hex()).isEqualTo("0000000000000000" + "0100000080000700"
                + "01000000" + "0000009000000000" + "0000200000000000" + "00000000");
        assertThat(handle.toCompletableFuture()).isCompletedWithValue(9);
    }

    @Test
    @Scenario(110)
    void aParcelOf1200EntriesIsLentInThreeMessages() {
        CompletionStage<Integer> handle = rm.lend(0x80, 7, entries(1200));
        sent.get(0).reply.complete(new WireWriter().u32(5).toBytes());
        sent.get(1).reply.complete(new byte[0]);
        sent.get(2).reply.complete(new byte[0]);

        assertThat(sent).extracting(Sent::id).containsExactly(0x51000012, 0x51000018, 0x51000018);
        assertThat(sent.get(0).payload[2]).isEqualTo((byte) 2);
        assertThat(sent.get(1).hex()).startsWith("05000000" + "00000000" + "0002");
        assertThat(sent.get(2).hex()).startsWith("05000000" + "01000000" + "b000");
        assertThat(handle.toCompletableFuture()).isCompletedWithValue(5);
    }

    @Test
    @Scenario(110)
    void aParcelThatCannotBeCompletedIsReclaimed() {
        CompletionStage<Integer> handle = rm.lend(0x80, 7, entries(1200));
        sent.get(0).reply.complete(new WireWriter().u32(5).toBytes());
        sent.get(1).reply.completeExceptionally(new GunyahError(Errno.ENOMEM, "append"));
        sent.get(2).reply.complete(new byte[0]);

        assertThat(sent.get(2).id).isEqualTo(0x51000015);
        assertThat(sent.get(2).hex()).isEqualTo("0500000000000000");
        assertThatThrownBy(() -> handle.toCompletableFuture().join()).hasRootCauseMessage("ENOMEM: append");
    }

    @Test
    @Scenario(28)
    void aResourceListOfTheWrongLengthIsABadMessage() {
        CompletionStage<?> resources = rm.hypResources(0x80);
        sent.getFirst().reply.complete(new WireWriter().u32(2).bytes(new byte[44]).toBytes());

        assertThatThrownBy(() -> resources.toCompletableFuture().join()).hasMessageContaining("EBADMSG");
    }

    private static List<RmClient.MemEntry> entries(int count) {
        List<RmClient.MemEntry> entries = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            entries.add(new RmClient.MemEntry(0x90000000L + i * 0x2000L, 0x1000));
        }
        return entries;
    }
}
