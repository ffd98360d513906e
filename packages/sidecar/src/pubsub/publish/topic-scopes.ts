import type { ComponentSettings } from '../../components/component-settings.ts';

/** Which topics an application may publish to and subscribe to, as a component's metadata says. */
export interface TopicScopes {
  mayPublish(topic: string): boolean;
  maySubscribe(topic: string): boolean;
}

export function topicScopes(settings: ComponentSettings, appId: string): TopicScopes {
  const allowed = list(settings.text('allowedTopics'));
  const guarded = list(settings.text('protectedTopics'));
  const publishing = ofApp(settings.text('publishingScopes'), appId);
  const subscribing = ofApp(settings.text('subscriptionScopes'), appId);
  const may = (scoped: readonly string[] | undefined, topic: string): boolean => {
    if (allowed.length > 0 && !allowed.includes(topic)) return false;
    // Protected topics are for those alone to whom they were given by name.
    if (guarded.includes(topic)) return scoped?.includes(topic) === true;
    return scoped === undefined || scoped.includes(topic);
  };
  return {
    mayPublish: (topic) => may(publishing, topic),
    maySubscribe: (topic) => may(subscribing, topic),
  };
}

/** `app1=t1,t2;app2=`: the topics of one application; undefined where it is not named. */
function ofApp(text: string | undefined, appId: string): readonly string[] | undefined {
  for (const entry of (text ?? '').split(';')) {
    const [app = '', topics = ''] = entry.split('=', 2);
    if (app.trim() === appId) return list(topics);
  }
  return undefined;
}

const list = (text: string | undefined): readonly string[] =>
  (text ?? '')
    .split(',')
    .map((topic) => topic.trim())
    .filter((topic) => topic !== '');
