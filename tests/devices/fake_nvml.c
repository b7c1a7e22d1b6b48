/* A libnvidia-ml.so.1 that the real pynvml loads and that answers as a text file says.
 *
 * The file is named by FAKE_NVML and read at every call, so that a test can move a counter, let a process appear or take a GPU
 * away. Without it the library answers like a machine without a driver. Words in capitals stand for values; every field of a
 * device but the first may be left out, and what it would tell is then "not supported":
 *
 *   driver VERSION                      version of the driver
 *   cuda NUMBER                         CUDA it supports: 1000 * major + 10 * minor
 *   gpu UUID name="NAME" memory=SIZE used=SIZE power_w=N limit_w=N energy_mj=N sm_mhz=N memory_mhz=N celsius=N reasons=BITS
 *       capability=MAJOR.MINOR mig=0|1  (one line; in the order of the PCI bus)
 *   slice UUID parent=UUID gi=N ci=N name="NAME" memory=SIZE gpu_slices=N compute_slices=N, and the fields of a gpu
 *   process UUID pid=N used=SIZE name="NAME"     (without used: the driver does not tell)
 *   refuse FUNCTION CODE [UUID]         FUNCTION answers CODE, for all devices or for one; 13 is what pynvml makes of a driver
 *                                       that has no such function
 *
 * SIZE is bytes, or a number of MiB or GiB (40GiB). Without energy_mj the counter grows by power_w.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7, DRIVER_NOT_LOADED = 9,
       GPU_IS_LOST = 15 };
enum { LINE = 1024, UUID = 96, HANDLES = 64, MOST_SLICES = 7, CLOCK_SM = 1 };
typedef long long Number;

static __thread char text[1 << 16]; /* the description as this thread has read it last */

/* ---- The text ---- */

static int read_text(void) {
  const char *path = getenv("FAKE_NVML");
  FILE *file = path && *path ? fopen(path, "r") : NULL;
  if (!file) return 0;
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  return 1;
}

/* The next line of a kind after one (NULL: the first), or NULL. A line ends at '\n'. */
static const char *next_line(const char *kind, const char *after) {
  const char *line = after ? strchr(after, '\n') : text;
  size_t length = strlen(kind);
  for (; line; line = strchr(line, '\n')) {
    if (*line == '\n') line++;
    if (!strncmp(line, kind, length) && line[length] == ' ') return line;
  }
  return NULL;
}

/* The second word of a line. */
static void second(const char *line, char *word) {
  if (sscanf(line, "%*s %95s", word) != 1) *word = 0;
}

static int field(const char *line, const char *key, char *value, size_t size) {
  char wanted[32], copy[LINE];
  snprintf(copy, sizeof copy, "%.*s", (int)strcspn(line, "\n"), line);
  snprintf(wanted, sizeof wanted, " %s=", key);
  const char *begin = strstr(copy, wanted);
  if (!begin) return NOT_SUPPORTED;
  begin += strlen(wanted);
  size_t length = *begin == '"' ? strcspn(++begin, "\"") : strcspn(begin, " ");
  snprintf(value, size, "%.*s", (int)length, begin);
  return SUCCESS;
}

static int number(const char *line, const char *key, Number *value) {
  char word[64], *rest;
  if (field(line, key, word, sizeof word)) return NOT_SUPPORTED;
  *value = strtoll(word, &rest, 0);
  if (!strcmp(rest, "MiB")) *value <<= 20;
  if (!strcmp(rest, "GiB")) *value <<= 30;
  return SUCCESS;
}

/* ---- Devices: a handle is the address of a UUID, valid as long as the process ---- */

static const char *line_of(const char *uuid) {
  static const char *kinds[] = {"gpu", "slice"};
  char word[UUID];
  for (int kind = 0; kind < 2; kind++)
    for (const char *line = next_line(kinds[kind], NULL); line; line = next_line(kinds[kind], line)) {
      second(line, word);
      if (!strcmp(word, uuid)) return line;
    }
  return NULL;
}

static int is_slice(const char *uuid) { return !strncmp(line_of(uuid), "slice", 5); }

static int handle_of(const char *uuid, void **handle) {
  static char known[HANDLES][UUID];
  static pthread_mutex_t alone = PTHREAD_MUTEX_INITIALIZER;
  if (!line_of(uuid)) return NOT_FOUND;
  pthread_mutex_lock(&alone);
  int place = 0;
  while (place < HANDLES - 1 && *known[place] && strcmp(known[place], uuid)) place++;
  snprintf(known[place], UUID, "%s", uuid);
  pthread_mutex_unlock(&alone);
  *handle = known[place];
  return SUCCESS;
}

/* What a function answers before it looks at anything. */
static int refused(const char *function, const char *uuid) {
  char name[96], only[UUID];
  int code;
  if (!read_text()) return DRIVER_NOT_LOADED;
  for (const char *line = next_line("refuse", NULL); line; line = next_line("refuse", line)) {
    *only = 0;
    char copy[LINE];
    snprintf(copy, sizeof copy, "%.*s", (int)strcspn(line, "\n"), line);
    if (sscanf(copy, "refuse %95s %d %95s", name, &code, only) >= 2 && !strcmp(name, function) &&
        (!*only || (uuid && !strcmp(only, uuid))))
      return code;
  }
  return uuid && !line_of(uuid) ? GPU_IS_LOST : SUCCESS;
}

#define ASK(uuid) do { int code_ = refused(__func__, uuid); if (code_) return code_; } while (0)

static int told(const char *uuid, const char *key, unsigned factor, unsigned *value) {
  Number found;
  if (number(line_of(uuid), key, &found)) return NOT_SUPPORTED;
  *value = (unsigned)(found * factor);
  return SUCCESS;
}

/* ---- The library itself ---- */

int nvmlInit_v2(void) { ASK(NULL); return SUCCESS; }
int nvmlInitWithFlags(unsigned flags) { (void)flags; ASK(NULL); return SUCCESS; }
int nvmlShutdown(void) { return SUCCESS; }

const char *nvmlErrorString(int code) {
  switch (code) {
    case SUCCESS: return "Success";
    case INVALID_ARGUMENT: return "Invalid Argument";
    case NOT_SUPPORTED: return "Not Supported";
    case 4: return "Insufficient Permissions";
    case NOT_FOUND: return "Not Found";
    case DRIVER_NOT_LOADED: return "Driver Not Loaded";
    case 13: return "Function Not Found";
    case GPU_IS_LOST: return "GPU is lost";
    case 18: return "Driver/library version mismatch";
    default: return "Unknown Error";
  }
}

int nvmlSystemGetDriverVersion(char *version, unsigned size) {
  char word[UUID];
  ASK(NULL);
  const char *line = next_line("driver", NULL);
  if (!line) return NOT_SUPPORTED;
  second(line, word);
  snprintf(version, size, "%s", word);
  return SUCCESS;
}

int nvmlSystemGetCudaDriverVersion_v2(int *version) {
  ASK(NULL);
  const char *line = next_line("cuda", NULL);
  return line && sscanf(line, "cuda %d", version) == 1 ? SUCCESS : NOT_SUPPORTED;
}

int nvmlSystemGetProcessName(unsigned pid, char *name, unsigned size) {
  Number found;
  ASK(NULL);
  for (const char *line = next_line("process", NULL); line; line = next_line("process", line))
    if (!number(line, "pid", &found) && found == pid) return field(line, "name", name, size) ? NOT_FOUND : SUCCESS;
  return NOT_FOUND;
}

/* ---- Which devices there are ---- */

int nvmlDeviceGetCount_v2(unsigned *count) {
  ASK(NULL);
  *count = 0;
  for (const char *line = next_line("gpu", NULL); line; line = next_line("gpu", line)) ++*count;
  return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
  char uuid[UUID];
  ASK(NULL);
  for (const char *line = next_line("gpu", NULL); line; line = next_line("gpu", line))
    if (index-- == 0) {
      second(line, uuid);
      ASK(uuid);
      return handle_of(uuid, handle);
    }
  return INVALID_ARGUMENT;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, void **handle) {
  ASK(NULL);
  if (!line_of(uuid)) return NOT_FOUND;
  ASK(uuid);
  return handle_of(uuid, handle);
}

int nvmlDeviceGetUUID(void *device, char *uuid, unsigned size) {
  ASK(device);
  snprintf(uuid, size, "%s", (char *)device);
  return SUCCESS;
}

int nvmlDeviceGetMigMode(void *device, unsigned *current, unsigned *pending) {
  ASK(device);
  if (is_slice(device) || told(device, "mig", 1, current)) return NOT_SUPPORTED;
  *pending = *current;
  return SUCCESS;
}

int nvmlDeviceGetMaxMigDeviceCount(void *device, unsigned *count) {
  Number mode = 0;
  ASK(device);
  *count = !number(line_of(device), "mig", &mode) && mode ? MOST_SLICES : 0;
  return SUCCESS;
}

int nvmlDeviceGetMigDeviceHandleByIndex(void *device, unsigned index, void **handle) {
  char uuid[UUID], parent[UUID];
  ASK(device);
  for (const char *line = next_line("slice", NULL); line; line = next_line("slice", line))
    if (!field(line, "parent", parent, sizeof parent) && !strcmp(parent, device) && index-- == 0) {
      second(line, uuid);
      return handle_of(uuid, handle);
    }
  return NOT_FOUND;
}

int nvmlDeviceIsMigDeviceHandle(void *device, unsigned *answer) { ASK(device); *answer = is_slice(device); return SUCCESS; }

int nvmlDeviceGetDeviceHandleFromMigDeviceHandle(void *device, void **handle) {
  char parent[UUID];
  ASK(device);
  if (!is_slice(device) || field(line_of(device), "parent", parent, sizeof parent)) return INVALID_ARGUMENT;
  return handle_of(parent, handle);
}

int nvmlDeviceGetGpuInstanceId(void *device, unsigned *id) { ASK(device); return told(device, "gi", 1, id); }
int nvmlDeviceGetComputeInstanceId(void *device, unsigned *id) { ASK(device); return told(device, "ci", 1, id); }

/* ---- What a device tells ---- */

typedef struct { unsigned multiprocessors, copy, decoder, encoder, jpeg, ofa, gpu_slices, compute_slices; unsigned long long mib; } Attributes;

int nvmlDeviceGetAttributes_v2(void *device, Attributes *found) {
  Number bytes;
  ASK(device);
  memset(found, 0, sizeof *found);
  if (told(device, "gpu_slices", 1, &found->gpu_slices) || told(device, "compute_slices", 1, &found->compute_slices) ||
      number(line_of(device), "memory", &bytes))
    return NOT_SUPPORTED;
  found->mib = (unsigned long long)bytes >> 20;
  return SUCCESS;
}

int nvmlDeviceGetName(void *device, char *name, unsigned size) { ASK(device); return field(line_of(device), "name", name, size); }

int nvmlDeviceGetCudaComputeCapability(void *device, int *major, int *minor) {
  char word[16];
  ASK(device);
  if (field(line_of(device), "capability", word, sizeof word)) return NOT_SUPPORTED;
  return sscanf(word, "%d.%d", major, minor) == 2 ? SUCCESS : NOT_SUPPORTED;
}

int nvmlDeviceGetMemoryInfo(void *device, unsigned long long *total_free_used) {
  Number total, used = 0;
  ASK(device);
  if (number(line_of(device), "memory", &total)) return NOT_SUPPORTED;
  number(line_of(device), "used", &used);
  total_free_used[0] = total, total_free_used[1] = total - used, total_free_used[2] = used;
  return SUCCESS;
}

int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts) { ASK(device); return told(device, "power_w", 1000, milliwatts); }
int nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned *milliwatts) { ASK(device); return told(device, "limit_w", 1000, milliwatts); }

int nvmlDeviceGetTotalEnergyConsumption(void *device, unsigned long long *millijoules) {
  Number found;
  struct timespec now;
  ASK(device);
  if (number(line_of(device), "energy_mj", &found)) {
    if (number(line_of(device), "power_w", &found)) return NOT_SUPPORTED;
    clock_gettime(CLOCK_MONOTONIC, &now);
    found = (Number)((now.tv_sec + now.tv_nsec * 1e-9) * 1000 * found);
  }
  *millijoules = found;
  return SUCCESS;
}

int nvmlDeviceGetClockInfo(void *device, unsigned kind, unsigned *mhz) {
  ASK(device);
  return told(device, kind == CLOCK_SM ? "sm_mhz" : "memory_mhz", 1, mhz);
}

int nvmlDeviceGetTemperature(void *device, unsigned sensor, unsigned *celsius) {
  (void)sensor;
  ASK(device);
  return told(device, "celsius", 1, celsius);
}

static int reasons(const char *uuid, unsigned long long *bits) {
  Number found;
  if (number(line_of(uuid), "reasons", &found)) return NOT_SUPPORTED;
  *bits = found;
  return SUCCESS;
}

int nvmlDeviceGetCurrentClocksEventReasons(void *device, unsigned long long *bits) { ASK(device); return reasons(device, bits); }
int nvmlDeviceGetCurrentClocksThrottleReasons(void *device, unsigned long long *bits) { ASK(device); return reasons(device, bits); }

typedef struct { unsigned pid; unsigned long long used; unsigned gpu_instance, compute_instance; } Process;

/* A GPU lists the processes of its slices too. */
static int runs_on(const char *line, const char *uuid) {
  char place[UUID], parent[UUID];
  second(line, place);
  const char *device = line_of(place);
  return !strcmp(place, uuid) || (device && !field(device, "parent", parent, sizeof parent) && !strcmp(parent, uuid));
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *count, Process *out) {
  unsigned found = 0, room = *count;
  Number value;
  ASK(device);
  for (const char *line = next_line("process", NULL); line; line = next_line("process", line)) {
    if (!runs_on(line, device)) continue;
    if (out && found < room) {
      out[found].pid = number(line, "pid", &value) ? 0 : (unsigned)value;
      out[found].used = number(line, "used", &value) ? ~0ull : (unsigned long long)value;
      out[found].gpu_instance = out[found].compute_instance = ~0u;
    }
    found++;
  }
  *count = found;
  return found > room || (found && !out) ? INSUFFICIENT_SIZE : SUCCESS;
}
