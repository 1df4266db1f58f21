package gunyah.vmm.driver;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.vmm.driver.QcomHooks.Owner;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class QcomHooksTest {
    private record Assigned(List<Integer> from, List<Owner> to) {
    }

    private final List<Assigned> assigned = new ArrayList<>();
    private final QcomHooks hooks = new QcomHooks((address, size, from, to) -> {
        assigned.add(new Assigned(from, to));
        return Errno.OK;
    });

    @Test
    void lentMemoryLeavesTheHost() {
        hooks.assign(0x80, 7, 0x1000, 0x1000);
        hooks.release(0x80, 7, 0x1000, 0x1000);

        assertThat(assigned).containsExactly(new Assigned(List.of(3), List.of(new Owner(0x3A, 7))),
                new Assigned(List.of(0x3A), List.of(new Owner(3, 7))));
    }

    @Test
    void sharedMemoryKeepsTheHostAsAnOwner() {
        hooks.assign(0x80, 6, 0x1000, 0x1000);
        hooks.release(0x80, 6, 0x1000, 0x1000);

        assertThat(assigned).containsExactly(new Assigned(List.of(3), List.of(new Owner(0x3A, 6), new Owner(3, 7))),
                new Assigned(List.of(0x3A, 3), List.of(new Owner(3, 7))));
    }

    @Test
    void staticVmsHaveTheirOwnName() {
        hooks.assign(0x3F, 5, 0x1000, 0x1000);

        assertThat(assigned.getFirst().to()).containsExactly(new Owner(0x3F, 5));
    }
}
