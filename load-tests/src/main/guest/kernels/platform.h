typedef unsigned long u64;
typedef long s64;
typedef unsigned int u32;
typedef int s32;
typedef unsigned short u16;
typedef unsigned char u8;
typedef signed char s8;

/* Memory that the kernels share; each fills what it uses. */
extern u8 arena[];
#define ARENA_BYTES (16ul << 20)

typedef struct {
    const char *name;
    /* One measured round. The checksum does not depend on the machine. */
    u64 (*run)(void);
} kernel;

extern const kernel integer_kernels[];
extern const kernel fp_kernels[];
